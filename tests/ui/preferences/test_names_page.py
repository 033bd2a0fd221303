"""The page of names and words: what is typed, imported and removed is what is used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app import names_file
from app.core.names import Name, names_in, text_of
from app.settings import Settings
from app.ui.preferences.names_page import NamesPage
from app.ui.state.settings_store import SettingsStore

VOXLINE = Name("Voxline", ("vox line", "fox line"), alert=True)
MARIA = Name("María-José")
CHECKED = Qt.CheckState.Checked


@pytest.fixture
def store(qtbot: QtBot) -> Iterator[SettingsStore]:
    made = SettingsStore(Settings(names=text_of([VOXLINE, MARIA])))
    yield made
    made.flush()


@pytest.fixture
def page(store: SettingsStore, qtbot: QtBot) -> NamesPage:
    return shown(store, qtbot)


def shown(store: SettingsStore, qtbot: QtBot) -> NamesPage:
    made = NamesPage(store)
    store.changed.connect(lambda now, _before: made.show_settings(now))
    made.show_settings(store.settings)
    qtbot.addWidget(made)
    with qtbot.waitExposed(made):
        made.show()
    return made


def used(store: SettingsStore) -> tuple[Name, ...]:
    return names_in(store.settings.names)


def write(page: NamesPage, row: int, column: int, text: str) -> None:
    item = page.table.item(row, column)
    assert item is not None
    item.setText(text)


def test_the_list_is_shown_with_room_for_one_more(page: NamesPage) -> None:
    assert page.names == (VOXLINE, MARIA)
    assert page.table.rowCount() == 3


def test_what_is_typed_is_used_a_moment_later(
    page: NamesPage, store: SettingsStore, qtbot: QtBot
) -> None:
    page.table.setCurrentCell(2, 0)
    page.table.setFocus()
    QTest.keyClick(page.table, Qt.Key.Key_Return)
    editor = page.table.findChild(QLineEdit)
    assert editor is not None, "Return begins to edit: it does not press the dialog's button"
    QTest.keyClicks(editor, "Kubernetes")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.table.rowCount() == 4)  # there is room for another
    write(page, 2, 1, "cooper netties;  cube or netties ")
    wanted = Name("Kubernetes", ("cooper netties", "cube or netties"))
    qtbot.waitUntil(lambda: used(store) == (VOXLINE, MARIA, wanted))


def test_who_has_no_list_yet_can_begin_one(qtbot: QtBot) -> None:
    store = SettingsStore(Settings())
    page = shown(store, qtbot)
    assert page.table.rowCount() == 1
    assert not page.remove.isEnabled()
    page.add.click()
    editor = page.table.findChild(QLineEdit)
    assert editor is not None
    QTest.keyClicks(editor, "Kubernetes")
    QTest.keyClick(editor, Qt.Key.Key_Return)
    page.hide()
    assert used(store) == (Name("Kubernetes"),)
    store.flush()


def test_leaving_the_page_uses_what_was_typed_at_once(
    page: NamesPage, store: SettingsStore
) -> None:
    alert = page.table.item(1, 2)
    assert alert is not None
    alert.setCheckState(CHECKED)
    page.hide()
    assert used(store) == (VOXLINE, Name("María-José", alert=True))


def test_selected_words_are_removed_by_button_and_key(
    page: NamesPage, store: SettingsStore
) -> None:
    assert not page.remove.isEnabled()
    page.table.selectRow(0)
    page.remove.click()
    assert used(store) == (MARIA,)
    page.table.setFocus()
    page.table.selectRow(0)
    QTest.keyClick(page.table, Qt.Key.Key_Delete)
    assert store.settings.names == ""
    assert page.table.rowCount() == 1


def test_an_exported_list_is_imported_and_its_words_win(
    page: NamesPage, store: SettingsStore, tmp_path: Path
) -> None:
    path = tmp_path / "my names; (März).csv"
    page.export_to(path)
    assert names_file.read(path) == (VOXLINE, MARIA)
    other = Name("Voxline", ("box line",))
    names_file.write(path, [other, Name("東京")])
    page.import_from(path)
    assert used(store) == (other, MARIA, Name("東京"))


def test_what_is_no_list_is_told_and_changes_nothing(page: NamesPage, tmp_path: Path) -> None:
    (tmp_path / "picture.csv").write_bytes(b"\xff\xd8\xff\xe0\x9c\x00")
    page.import_from(tmp_path / "picture.csv")
    assert "picture.csv" in page.problem.text() and page.problem.isVisible()
    page.export_to(tmp_path / "no such folder" / "names.csv")
    assert "could not be written" in page.problem.text()
    assert page.names == (VOXLINE, MARIA)


def test_a_list_too_long_for_the_settings_is_told_and_not_used(
    page: NamesPage, store: SettingsStore
) -> None:
    write(page, 1, 1, "x" * 10_001)
    page.apply()
    assert "too long" in page.problem.text()
    assert used(store) == (VOXLINE, MARIA)
    write(page, 1, 1, "")
    page.apply()
    assert not page.problem.isVisible()


def test_tab_leaves_the_table(page: NamesPage) -> None:
    page.table.setFocus()
    QTest.keyClick(page.table, Qt.Key.Key_Tab)
    assert not page.table.hasFocus()
