"""Words and the moments at which an engine delivers them: what windows are given to show.

`recognised` hears real speech with the real embedded engine on a simulated clock (`simulation`).
`carried` gives those moments to the words of another text, for scripts of which there is no speech.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace
from itertools import cycle
from pathlib import Path

import numpy as np
import soundfile

from app.measure.decodes import COSTS, KeptRecognizer, Store
from app.measure.evaluation import Clip, read_manifest
from app.measure.simulation import Shown, Simulation
from app.paths import models_dir
from model_backends.base import SAMPLE_RATE, Pcm, Word
from model_backends.embedded import store

_PAUSE_S = 1.2  # between recordings
_CHECKOUT = Path(__file__).parents[2]
# The Universal Declaration of Human Rights, articles 1 and 3 to 7, as the United Nations have them.
TEXTS = {
    "ar": (
        "يولد جميع الناس أحراراً متساوين في الكرامة والحقوق. وقد وهبوا عقلاً وضميراً وعليهم أن "
        "يعامل بعضهم بعضاً بروح الإخاء. لكل فرد الحق في الحياة والحرية وسلامة شخصه. لا يجوز "
        "استرقاق أو استعباد أي شخص، ويحظر الاسترقاق وتجارة الرقيق بكافة أوضاعهما. لا يعرض أي "
        "إنسان للتعذيب ولا للعقوبات أو المعاملات القاسية أو الوحشية أو الحاطة بالكرامة. لكل "
        "إنسان أينما وجد الحق في أن يعترف بشخصيته القانونية. كل الناس سواسية أمام القانون ولهم "
        "الحق في التمتع بحماية متكافئة منه دون أية تفرقة."
    ),
    "hi": (
        "सभी मनुष्यों को गौरव और अधिकारों के मामले में जन्मजात स्वतन्त्रता और समानता प्राप्त है। "
        "उन्हें बुद्धि और अन्तरात्मा की देन प्राप्त है और परस्पर उन्हें भाईचारे के भाव से बर्ताव करना चाहिए। "
        "प्रत्येक व्यक्ति को जीवन, स्वाधीनता और वैयक्तिक सुरक्षा का अधिकार है।"
    ),
    "ja": (
        "すべての人間は、生れながらにして自由であり、かつ、尊厳と権利とについて平等である。人間は、"
        "理性と良心とを授けられており、互いに同胞の精神をもって行動しなければならない。すべて人は、"
        "生命、自由及び身体の安全に対する権利を有する。何人も、奴隷にされ、又は苦役に服することは"
        "ない。奴隷制度及び奴隷売買は、いかなる形においても禁止する。何人も、拷問又は残虐な、"
        "非人道的な若しくは屈辱的な取扱若しくは刑罰を受けることはない。すべての人は、法の下において"
        "平等であり、また、いかなる差別もなしに法の平等な保護を受ける権利を有する。"
    ),
}
_PIECES = (2, 1, 3, 2, 4)  # characters: Japanese comes in tokens, not in words


def recognised(manifest: Path, seconds: float, model: str, delay_ms: int) -> list[Shown]:
    """What the engine makes of so much of the speech set: the longest recordings, and a clip of
    every other language. Decodes are kept in the checkout's build folder.
    """
    folder = store.ensure(model, models_dir(), lambda fraction, text: None)
    kept = KeptRecognizer(
        model, folder, Store(_CHECKOUT / "build" / "decodes.sqlite"), COSTS[model]
    )
    simulation = Simulation(kept, _speech(read_manifest(manifest), seconds), delay_ms=delay_ms)
    simulation.run()
    return simulation.shown


def carried(shown: Sequence[Shown], script: str) -> list[Shown]:
    """The words of the text in `script`, said again and again, at these words' moments."""
    text = TEXTS[script]
    words = _tokens(text) if script == "ja" else [f" {word}" for word in text.split()]
    return [
        replace(one, word=replace(one.word, text=text, language=script))
        for one, text in zip(shown, cycle(words), strict=False)
    ]


def lasting(shown: Sequence[Shown], ms: float) -> list[Shown]:
    """These words, said again from the beginning until so much time has passed."""
    if not shown:
        return []
    length = max(one.word.end_ms for one in shown) + round(_PAUSE_S * 1000)
    found: list[Shown] = []
    for begin in range(0, round(ms), length):
        for one in shown:
            at, word = one.at_ms + begin, one.word
            moved = replace(word, start_ms=word.start_ms + begin, end_ms=word.end_ms + begin)
            if moved.end_ms <= ms:
                found.append(Shown(moved, at))
    return found


def save(shown: Iterable[Shown], path: Path) -> None:
    """One JSON object a line: `at_ms`, and the word's own fields."""
    lines = (json.dumps({"at_ms": one.at_ms, **asdict(one.word)}) for one in shown)
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")


def load(path: Path) -> list[Shown]:
    """What `save` has written."""
    found = []
    for line in path.read_text("utf-8").splitlines():
        fields = json.loads(line)
        found.append(Shown(at_ms=fields.pop("at_ms"), word=Word(**fields)))
    return found


def _tokens(text: str) -> list[str]:
    sizes, tokens, at = cycle(_PIECES), [], 0
    while at < len(text):
        size = next(sizes)
        tokens.append(text[at : at + size])
        at += size
    return tokens


def _speech(clips: Sequence[Clip], seconds: float) -> Pcm:
    """Joined, with pauses: what is long, a clip of every other language, and more English."""
    long = [clip for clip in clips if clip.subset == "long"]
    others = {clip.language: clip for clip in clips if clip.language != "en"}
    english = [clip for clip in clips if clip.language == "en" and clip.subset == "read-en"]
    parts: list[Pcm] = []
    for clip in (*long, *others.values(), *english):
        parts += [_samples(clip.path), np.zeros(round(_PAUSE_S * SAMPLE_RATE), np.float32)]
        if sum(map(len, parts)) >= seconds * SAMPLE_RATE:
            break
    return np.concatenate(parts)[: round(seconds * SAMPLE_RATE)]


def _samples(path: Path) -> Pcm:
    pcm, _ = soundfile.read(path, dtype="float32")
    return np.asarray(pcm, np.float32)
