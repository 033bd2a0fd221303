// In the audio thread: blocks of 80 ms at whatever rate the context has, as 16-bit samples.
"use strict";

class Recorder extends AudioWorkletProcessor {
  constructor() {
    super();
    this.block = new Int16Array(Math.round(sampleRate * 0.08));
    this.filled = 0;
    this.loudest = 0;
  }

  process(inputs) {
    const channels = inputs[0];
    if (!channels.length) return true;
    for (let i = 0; i < channels[0].length; i++) {
      let sum = 0;
      for (const channel of channels) sum += channel[i];
      const sample = Math.max(-1, Math.min(1, sum / channels.length));
      this.loudest = Math.max(this.loudest, Math.abs(sample));
      this.block[this.filled++] = Math.round(sample * 32767);
      if (this.filled === this.block.length) this.send();
    }
    return true;
  }

  send() {
    const pcm = this.block.slice().buffer;
    this.port.postMessage({ pcm, loudest: this.loudest }, [pcm]);
    this.filled = 0;
    this.loudest = 0;
  }
}

registerProcessor("recorder", Recorder);
