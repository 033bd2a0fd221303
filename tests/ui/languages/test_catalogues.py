"""The catalogues: every sentence is in them, whole, and no sentence goes past them."""

from __future__ import annotations

import ast
import gettext
import re
import string
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import language, paths
from model_backends.base import Counted, Sentence

CHECKOUT = Path(__file__).parents[3]
sys.path.insert(0, str(CHECKOUT / "packaging"))
try:
    import catalogues
finally:
    sys.path.pop(0)

TRANSLATED = tuple(code for code in language.NAMES if code != "en")
REPAIR = "python packaging/catalogues.py brings the catalogues up to date"
SETTERS = {
    "setText", "setToolTip", "setAccessibleName", "setAccessibleDescription", "setWindowTitle",
    "setTitle", "setPlaceholderText", "setInformativeText", "setLabelText", "setStatusTip",
    "setWhatsThis", "setSpecialValueText", "setPrefix", "setSuffix", "setNameFilters",
    "setHorizontalHeaderLabels", "setItemText", "addAction", "addMenu", "addItem", "addItems",
    "addTab", "addButton", "showMessage",
}  # fmt: skip
MADE_WITH_TEXT = {
    "QLabel", "QPushButton", "QCheckBox", "QRadioButton", "QGroupBox", "QAction", "QMenu",
    "QFileDialog", "QToolButton", "QProgressDialog",
}  # fmt: skip
OURS = {  # which take a sentence, by where it stands among their arguments
    "label": (0,), "add_row": (1,), "set_tip": (1,), "add_button": (0,), "announce": (1,),
    "tell": (0, 1, 2), "ask": (0, 1, 2), "Message": (0, 1), "Status": (1, 2), "UserError": (0, 1),
    "text": (1,), "name": (1,), "title": (1,), "tip": (1,), "placeholder": (1,), "action": (1,),
}  # fmt: skip
TELLS = re.compile(r"(Engine|User|Usage|Library)Error|\w+Problem|Notice|Availability|tell|_row")
LITERALLY = re.compile(r"Voxline|info|good|warning|failure|\w+://\S*")  # and kinds of banners
SAID = {"say", "tip"}  # what makes words of a sentence, for widgets that keep none


# --- that they are whole -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def messages() -> dict[catalogues.Message, list[tuple[str, int]]]:
    return catalogues.messages()


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_sentence_is_translated_and_nothing_else(
    code: str, messages: dict[catalogues.Message, object]
) -> None:
    catalogue = catalogues.read(code)
    wanted = {message if isinstance(message, tuple) else (message,) for message in messages}
    assert {english for english, _ in catalogues.entries(catalogue)} == wanted, REPAIR
    assert catalogues.lacking(catalogue) == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_as_many_forms_as_were_translated_are_kept(code: str) -> None:
    """Whatever the version of Babel at hand thinks of the language."""
    before, after = catalogues.read(code), catalogues.renewed(code)
    assert after.plural_forms == before.plural_forms
    assert catalogues.lacking(after) == catalogues.lacking(before)


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_is_read_is_what_was_translated(code: str) -> None:
    with paths.resource(f"languages/{code}.mo").open("rb") as file:
        texts = gettext.GNUTranslations(file)
    for english, said in catalogues.entries(catalogues.read(code)):
        if len(english) == 2:
            one, many = english
            assert {texts.ngettext(one, many, count) for count in (1, 5)} == set(said), REPAIR
        else:
            assert texts.gettext(english[0]) == said[0], REPAIR


def test_a_variable_of_the_environment_is_told_as_something_voxline_is_started_with(
    messages: dict[catalogues.Message, object],
) -> None:
    """“Set VOXLINE_DATA” alone tells nobody where, who does not know already."""
    told = [each for each in messages if isinstance(each, str) and "VOXLINE_" in each]
    assert told
    assert [
        each for each in told if not re.search(r"\bstart (it|Voxline) with VOXLINE_", each)
    ] == []


@pytest.mark.parametrize("code", TRANSLATED)
def test_what_is_filled_in_is_the_same_in_every_language(code: str) -> None:
    for english, said in catalogues.entries(catalogues.read(code)):
        for template, translation in zip(english, said, strict=True):
            # "1 word" need not name its number
            unsaid = {"count"} if len(english) > 1 else set()
            assert fields(translation) - unsaid == fields(template) - unsaid, translation


def fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


# --- how they are spoken -------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    yield
    language.choose("en")


@pytest.mark.parametrize(
    ("code", "none", "one", "many"),
    [
        ("en", "0 words", "1 word", "12,345 words"),
        ("de", "0 Wörter", "1 Wort", "12.345 Wörter"),
        ("es", "0 palabras", "1 palabra", "12.345 palabras"),
        ("fr", "0 mot", "1 mot", "12\u202f345 mots"),
    ],
)
def test_how_many_decides_the_form(code: str, none: str, one: str, many: str) -> None:
    language.choose(code)
    found = [language.say(Counted("1 word", "{count:,} words", count=n)) for n in (0, 1, 12_345)]
    assert found == [none, one, many]


def test_names_are_left_alone() -> None:
    language.choose("de")
    assert language.say("Stop") == "Stop"
    assert language.say(Sentence("Saved: {path}", path="Stop {x}")) == "Gespeichert: Stop {x}"
    assert language.say(Sentence("")) == ""


@pytest.mark.parametrize(
    ("wanted", "best"),
    [
        (["de-AT", "en"], "de"),
        (["pt-BR", "fr_CA"], "fr"),
        (["ES"], "es"),
        (["nl"], "en"),
        ([], "en"),
    ],
)
def test_the_first_of_the_systems_languages_that_is_spoken(wanted: list[str], best: str) -> None:
    assert language.best_of(wanted) == best


def test_a_catalogue_that_is_lost_leaves_english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "resource", lambda name: Path("nowhere") / name)
    language.choose("de")
    assert language.chosen() == "en"


# --- that nothing goes past them -----------------------------------------------------------------


def test_no_window_is_given_a_literal() -> None:
    found = [
        f"{path.relative_to(CHECKOUT)}:{line}: {text}"
        for path in sorted((CHECKOUT / "app/ui").rglob("*.py"))
        for line, text in literals(path.read_text("utf-8"))
    ]
    assert found == []


def test_no_error_or_notice_is_made_of_a_literal() -> None:
    """It would be English in every window and in the terminal."""
    found = [
        f"{path.relative_to(CHECKOUT)}:{line}: {text}"
        for path in catalogues.sources()
        if path.name != "scripted.py"  # tests' own
        for line, text in plain_errors(path.read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('raise EngineError("It is gone.", hint)', 1),
        ('raise EngineError(what, _AGAIN)\n_AGAIN = "Download it again."', 1),
        ('Availability("ggml", name, False, why, "Close other programs.")', 1),
        ('return _row("It is not here.", hint)', 1),
        ('tell(what, "Wait a moment.")', 1),
        ('raise EngineError(Sentence("It is gone."), _AGAIN)\n_AGAIN = Sentence("Again.")', 0),
        ('Notice(lane, "slow", message, f"{one} {other}")', 0),
        ('raise ValueError("no such track")', 0),
    ],
)
def test_an_error_made_of_a_literal_is_found(source: str, count: int) -> None:
    assert len(list(plain_errors(source))) == count


def plain_errors(source: str) -> Iterator[tuple[int, str]]:
    """Sentences that somebody is told as they stand, or by a name that is one of this file."""
    tree = ast.parse(source)
    named = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        called = node.func if isinstance(node, ast.Call) else None
        if isinstance(called, ast.Name) and TELLS.fullmatch(called.id):
            assert isinstance(node, ast.Call)
            for argument in node.args:
                value = named.get(argument.id) if isinstance(argument, ast.Name) else argument
                said = value.value if isinstance(value, ast.Constant) else None
                if isinstance(said, str) and re.fullmatch(r"(?s)[A-Z].* .*[.!?]", said):
                    yield node.lineno, said


@pytest.mark.parametrize(
    "source",
    [
        'label.setText("Saved")',
        'QPushButton("&Close", self)',
        'button.setToolTip(f"Saved: {path}")',
        'plain.label("Saved" if saved else "")',
        'worded.name(field, "Address")',
        'banners.tell("failure", "It failed.", hint)',
        'label.setText(Sentence("Saved"))',
        'label.setText(_SAVED)\n_SAVED = Sentence("Saved")',
    ],
)
def test_a_literal_is_found(source: str) -> None:
    assert len(list(literals(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        'label.setText(say(Sentence("Saved")))',
        'worded.text(label, Sentence("Saved"))',
        'banners.tell("failure", Sentence("It failed."))',
        'plain.label(name="dim")',
        "self.name.setText(entry.title)",
        'button.setText("−")',
    ],
)
def test_what_is_translated_or_says_nothing_is_not(source: str) -> None:
    assert list(literals(source)) == []


def literals(source: str) -> Iterator[tuple[int, str]]:
    """Texts that a widget is given past the catalogue: as they are, or a sentence that it would
    keep in the language of the moment."""
    tree = ast.parse(source)
    sentences = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and _is_sentence(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else _name(node.func)
        if called in SETTERS or (called in MADE_WITH_TEXT and isinstance(node.func, ast.Name)):
            for argument in node.args:
                yield from ((node.lineno, text) for text in _texts_in(argument, sentences))
        elif called in OURS:
            for at in OURS[called]:
                for argument in node.args[at : at + 1]:
                    yield from ((node.lineno, text) for text in _texts_in(argument, None))


def _texts_in(node: ast.expr, sentences: set[str] | None) -> Iterator[str]:
    """`sentences`: names of some, which are no good either; None: they are what is wanted."""
    if isinstance(node, ast.Call):
        called = node.func.attr if isinstance(node.func, ast.Attribute) else _name(node.func)
        if called in SAID:
            return
        if _is_sentence(node):
            if sentences is not None:
                yield ast.unparse(node)
            return
    if isinstance(node, ast.Name) and sentences and node.id in sentences:
        yield node.id
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        if re.search(r"[^\W\d_]{2}", node.value) and not LITERALLY.fullmatch(node.value):
            yield repr(node.value)
        return
    if isinstance(node, ast.JoinedStr):
        for part in node.values:
            if isinstance(part, ast.Constant):
                yield from _texts_in(part, sentences)
        return
    if isinstance(node, (ast.IfExp, ast.BoolOp, ast.List, ast.Tuple, ast.BinOp)):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr) and child is not getattr(node, "test", None):
                yield from _texts_in(child, sentences)


def _is_sentence(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and _name(node.func) in ("Sentence", "Counted")


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else ""
