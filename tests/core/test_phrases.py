"""Where lines break in text without spaces between words: real sentences, growing and whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.cues import cues
from app.core.lines import CaptionLines
from app.core.phrases import Seam, tied, units
from app.core.script import display_width
from model_backends.base import Word
from model_backends.line_breaks import NON_STARTERS, OPENERS

JAPANESE = (
    "今日はとても天気がいいので、近くの公園まで散歩に行きましょう。アルベルト・アインシュタインは"
    "ドイツ生まれの物理学者で、1921年にノーベル物理学賞を受賞しました。「もしよろしければ、こちらの"
    "資料をご覧いただけますか？」と先生がおっしゃった。会議には約1,200人が参加し、Python 3.12を"
    "使ってコンピュータシステムのセキュリティを調べました。ちょっと待ってください、今行きますから。"
)
CHINESE = (
    "我们今天要讨论的是气候变化对农业生产的影响，以及政府应该采取哪些措施。“请大家把手机调成静音”，"
    "他说，会议马上就要开始了。2024年有3个研究人员用Python发现了一种新的材料（价格是¥1,500）。"
)
THAI = (
    "วันนี้เราจะมาพูดถึงเรื่องการเปลี่ยนแปลงสภาพภูมิอากาศและผลกระทบต่อเศรษฐกิจไทยในระยะยาวครับ "
    "กรุณาปิดโทรศัพท์มือถือก่อนเข้าห้องประชุมด้วยนะคะ"
)
KOREAN = (
    "안녕하세요, 여러분. 오늘은 오후 3시에 새로운 프로젝트에 대해 이야기하겠습니다. "
    "질문이 있으신가요?"
)
TEXTS = {"ja": JAPANESE, "zh": CHINESE, "th": THAI, "ko": KOREAN}


def cut(text: str, language: str | None = None) -> str:
    """The sentence with "|" where a line breaks well, and "·" where it may."""
    marks = {Seam.PHRASE: "·", Seam.LOOSE: "|"}
    return "".join(marks.get(unit.seam, "") + unit.text for unit in units("", text, "\n", language))


@pytest.mark.parametrize(
    ("text", "phrases", "language"),
    [
        ("駅前に新しい店ができたそうです。", "駅前に|新しい|店が|できたそうです。", "ja"),
        ("会議は午後3時15分に始まります。", "会議は|午後|3時15分に|始まります。", None),
        ("彼は「ノーベル賞」を取った。", "彼は|「ノーベル賞」を|取った。", "ja"),
        ("请大家把手机调成静音。", "请|大家|把|手机|调成|静音。", "zh"),
        ("農業生產的影響，以及政府的政策", "農業|生產的|影響，|以及|政府的|政策", "zh"),
        ("我们用Python写了3个程序。", "我们|用|Python写了|3个|程序。", None),
        ("กรุณาปิดประตูก่อนเข้าห้อง", "กรุณา|ปิด|ประตู|ก่อน|เข้า|ห้อง", "th"),
    ],
)  # fmt: skip
def test_phrases_are_found(text: str, phrases: str, language: str | None) -> None:
    assert cut(text, language).replace("·", "") == phrases


@pytest.mark.parametrize(
    ("before", "whole"),
    [
        ("今は", "コンピュータシステム"), ("今は", "1,200人"), ("今は", "2024年"),
        ("今は", "３キロ"), ("今は", "3.12"), ("今は", "Wi-Fi"), ("今は", "新し"),
        ("今は", "キャッチ"), ("今は", "￥1,500"), ("今は", "50％"), ("今は", "「あ」"),
        ("今は", "人々"), ("それで", "す。」"), ("是", "“你”，"),
        ("กิน", "เรา"), ("กิน", "น้ำ"), ("မာ", "ခ်"), ("ភា", "ខ្មែ"), ("ກາ", "ເປັ"),
    ],
)  # fmt: skip
def test_what_holds_together_is_not_parted(before: str, whole: str) -> None:
    """Whatever a model says, whether it comes at once or one character at a time."""
    apart = {len(before) + at for at in range(1, len(whole))}
    at, parted = 0, set()
    for unit in units("", before + whole, "\n"):
        parted.add(at)
        at += len(unit.text)
    assert not parted & apart
    growing = before + whole
    for at in apart:
        (unit,) = units(growing[:at], growing[at], "")
        assert unit.seam <= Seam.WORD, growing[:at]


def test_korean_breaks_at_its_spaces() -> None:
    assert [unit.text for unit in units("", KOREAN)] == re.findall(r"\s*\S+", KOREAN)


def test_syllables_stay_whole_where_no_model_is() -> None:
    assert cut("ພາສາລາວເປັນພາສາ", "lo") == "ພາ·ສາ·ລາວ|ເປັນ·ພາ·ສາ"
    assert cut("မြန်မာဘာသာစကား", "my") == "မြန်·မာ·ဘာ·သာ·စ·ကား"
    assert cut("ភាសាខ្មែរជាភាសា", "km") == "ភា·សា·ខ្មែរ·ជា·ភា·សា"


@given(st.text(), st.text(), st.text(max_size=4), st.sampled_from(["ja", "zh", "th", "ko", None]))
def test_no_text_is_lost(before: str, text: str, after: str, language: str | None) -> None:
    assert "".join(unit.text for unit in units(before, text, after, language)) == text
    assert "".join(tied(text)) == text


def test_one_character_ahead_is_nearly_as_good_as_all() -> None:
    """Captions decide when a character comes; what follows would seldom change their mind."""
    at, good = 0, set()
    for unit in units("", JAPANESE, "\n", "ja"):
        good |= {at} if unit.seam is Seam.LOOSE else set()
        at += len(unit.text)
    live = {
        at
        for at in range(1, len(JAPANESE))
        if units(JAPANESE[:at], JAPANESE[at], "", "ja")[0].seam is Seam.LOOSE
    }
    assert len(live & good) >= 0.9 * max(len(live), len(good))


# --- live lines ----------------------------------------------------------------------------------


def tokens(text: str, lengths: Iterator[int], language: str) -> list[Word]:
    """As engines give text without spaces: a few characters at a time, whatever they belong to."""
    found: list[Word] = []
    at = 0
    while at < len(text):
        part = text[at : at + next(lengths)]
        found.append(Word("me", 0, 0, part, 200 * len(found), 200 * len(found) + 190, language))
        at += len(part)
    return found


def words_of(language: str, lengths: Iterator[int]) -> list[Word]:
    if language != "ko":
        return tokens(TEXTS[language], lengths, language)
    parts = re.findall(r"\s*\S+", KOREAN)
    return [Word("me", 0, 0, part, 200 * n, 200 * n + 190, "ko") for n, part in enumerate(parts)]


def rows_of(words: list[Word], columns: float) -> list[str]:
    """All rows in the end; none that was drawn has done anything but grow at its end."""
    lines = CaptionLines(lambda text: float(display_width(text)), columns)
    before: list[str] = []
    for word in words:
        lines.add(word)
        rows = [line.text for line in lines.visible(10_000)]
        assert not before or rows[: len(before) - 1] == before[:-1]
        assert not before or rows[len(before) - 1].startswith(before[-1])
        before = rows
    return before


@settings(max_examples=40)
@given(
    st.sampled_from(sorted(TEXTS)),
    st.lists(st.integers(1, 4), min_size=1, max_size=9),
    st.integers(6, 60),
)
def test_growing_text_moves_no_break_and_every_line_fits(
    language: str, lengths: list[int], columns: int
) -> None:
    def repeated() -> Iterator[int]:
        while True:
            yield from lengths

    rows = rows_of(words_of(language, repeated()), columns)
    assert all(display_width(row.rstrip()) <= columns for row in rows)
    assert "".join("".join(rows).split()) == "".join(TEXTS[language].split())
    if columns >= 12:
        assert not [row for row in rows if re.match(f"[{NON_STARTERS}]", row)]
        assert not [row for row in rows if re.search(f"[{OPENERS}]$", row)]


def steady(length: int) -> Iterator[int]:
    while True:
        yield length


@pytest.mark.parametrize("length", [1, 2, 3])
@pytest.mark.parametrize("language", ["ja", "zh"])
def test_lines_of_ordinary_width_break_between_phrases(language: str, length: int) -> None:
    text = TEXTS[language] * 2
    at, good = 0, {len(text)}
    for unit in units("", text, "\n", language):
        good |= {at} if unit.seam >= Seam.LOOSE else set()
        at += len(unit.text)
    rows = rows_of(tokens(text, steady(length), language), 42)
    ends, at = [], 0
    for row in rows:
        at = text.index(row, at) + len(row)
        ends.append(at)
    assert sum(end in good for end in ends) >= 0.8 * len(ends), rows
    assert sum(map(display_width, rows)) / (42 * len(rows)) > 0.65, "lines are not wasted"


def test_a_katakana_word_or_number_begins_another_line_sooner_than_it_is_cut() -> None:
    for word in ("プレゼンテーション", "12,500円", "インターネット"):
        for lead in range(8, 21):
            before = "の" * lead  # whatever the model thinks of it
            rows = rows_of(tokens(before + word + "です。", steady(1), "ja"), 42)
            assert any(word in row for row in rows), rows


@pytest.mark.parametrize("columns", [6, 12, 20, 42])
def test_a_katakana_word_wider_than_a_line_is_cut_where_it_may_be(columns: int) -> None:
    word = "スーパーカリフラジリスティックエクスピアリドーシャスコンピューターシステム" * 2
    for length in (1, 3, len(word)):
        rows = rows_of(tokens(word, steady(length), "ja"), columns)
        assert "".join(rows) == word
        assert all(display_width(row) <= columns for row in rows)
        assert columns < 12 or not any(row[0] in "ーィッャュョ" for row in rows)
        assert len(rows) < 2 * display_width(word) / columns + 2


# --- cues ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["ja", "zh", "th"])
def test_cues_break_between_phrases_only(language: str) -> None:
    text = TEXTS[language] * 2
    at, good = 0, set()
    for unit in units("", text, "\n", language):
        good |= {at} if unit.seam >= Seam.LOOSE else set()
        at += len(unit.text)
    said = tokens(text, steady(2), language)
    slowly = [replace(word, start_ms=2 * word.start_ms, end_ms=2 * word.end_ms) for word in said]
    rows = [row for cue in cues(slowly) for row in cue.text.split("\n")]
    at = 0
    for row in rows[:-1]:
        at = text.index(row, at) + len(row)
        assert at in good, rows


def test_a_cue_cuts_a_word_wider_than_a_line_where_it_may_be() -> None:
    word = "スーパーカリフラジリスティックエクスピアリドーシャスコンピューターシステム"
    rows = [row for cue in cues(tokens(word, steady(1), "ja")) for row in cue.text.split("\n")]
    assert "".join(rows) == word
    assert all(display_width(row) <= 42 and row[0] not in "ーィッャュョ" for row in rows)
