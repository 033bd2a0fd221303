// The browser's own microphone, spoken to the endpoint that serves this page: the OpenAI dialect
// over a WebSocket, sound from an AudioWorklet. The key stands behind the "#".
"use strict";

const RATE = 24000; // what the dialect takes; the browser resamples
const MOST_WAITING = 1 << 20; // bytes not sent yet: the connection is stuck
const PREFIX = "conversation.item.input_audio_transcription";

const key = new URLSearchParams(location.hash.slice(1)).get("key") || "";
const captions = document.getElementById("captions");
const state = document.getElementById("state");
const toggle = document.getElementById("toggle");
const level = document.getElementById("level");
const words = JSON.parse(document.getElementById("words").textContent);

let speaking = null; // { socket, context, stream }
const items = new Map(); // item id: its paragraph

function tell(text, trouble = false, language = "") {
  state.textContent = text;
  state.lang = language || document.documentElement.lang;
  state.classList.toggle("trouble", trouble);
}

function base64(buffer) {
  let text = "";
  for (const byte of new Uint8Array(buffer)) text += String.fromCharCode(byte);
  return btoa(text);
}

function paragraph(id) {
  if (!items.has(id)) {
    const made = document.createElement("p");
    made.dir = "auto";
    captions.append(made);
    items.set(id, made);
  }
  return items.get(id);
}

function take(event) {
  if (event.type === `${PREFIX}.delta`) {
    paragraph(event.item_id).append(event.delta);
    captions.scrollTop = captions.scrollHeight;
  } else if (event.type === `${PREFIX}.completed`) {
    items.delete(event.item_id);
    if (speaking && speaking.ending && !items.size) finish(words.go_on);
  } else if (event.type === "session.updated") {
    tell(words.speak);
  } else if (event.type === "voxline.notice") {
    tell(`${event.message} ${event.hint}`.trim(), false, "en"); // as programs are told
  } else if (event.type === "error") {
    // nothing was said since the last turn: that is no trouble
    if (event.error.code === "input_audio_buffer_commit_empty") finish(words.go_on);
    else tell(event.error.message, true, "en");
  }
}

async function start() {
  if (!key) return tell(words.no_key, true);
  toggle.disabled = true;
  try {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1 } });
    const context = new AudioContext({ sampleRate: RATE });
    await context.audioWorklet.addModule("/recorder.js");
    connect(stream, context);
  } catch (error) {
    const why = String(error.message || error); // in the browser's own language
    const known = { NotAllowedError: words.not_allowed, NotFoundError: words.no_microphone };
    tell(known[error.name] || words.failed.replace("{why}", why), true);
  }
  toggle.disabled = false;
}

function connect(stream, context) {
  const socket = new WebSocket(
    `ws://${location.host}/v1/realtime?intent=transcription`,
    ["realtime", `openai-insecure-api-key.${key}`],
  );
  const recorder = new AudioWorkletNode(context, "recorder", { numberOfOutputs: 0 });
  speaking = { socket, context, stream, ending: false };
  toggle.textContent = words.stop;
  socket.onopen = () => {
    const format = { type: "audio/pcm", rate: RATE };
    const session = { type: "transcription", audio: { input: { format } } };
    socket.send(JSON.stringify({ type: "session.update", session }));
    context.createMediaStreamSource(stream).connect(recorder);
  };
  recorder.port.onmessage = ({ data }) => {
    level.value = data.loudest;
    if (!speaking || speaking.ending || socket.readyState !== WebSocket.OPEN) return;
    if (socket.bufferedAmount > MOST_WAITING) return socket.close(4000, "stuck");
    socket.send(JSON.stringify({ type: "input_audio_buffer.append", audio: base64(data.pcm) }));
  };
  socket.onmessage = (event) => take(JSON.parse(event.data));
  socket.onclose = (event) => {
    if (speaking && speaking.socket === socket) {
      if (!speaking.ending) tell(event.code === 1013 ? words.full : words.lost, true);
      release();
    }
  };
}

function stop() {
  speaking.ending = true;
  tell(words.finishing);
  for (const track of speaking.stream.getTracks()) track.stop();
  if (speaking.socket.readyState === WebSocket.OPEN) {
    speaking.socket.send(JSON.stringify({ type: "input_audio_buffer.commit" }));
  } else {
    release();
  }
}

function finish(text) {
  if (!speaking || !speaking.ending) return;
  tell(text);
  speaking.socket.close(1000);
  release();
}

function release() {
  for (const track of speaking.stream.getTracks()) track.stop();
  speaking.context.close();
  speaking = null;
  items.clear();
  level.value = 0;
  toggle.textContent = words.start;
}

toggle.addEventListener("click", () => { speaking ? stop() : start(); });
