"""How a session looks in the list: when and how much above, its name and what was said below."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.language import say
from app.ui.sessions import one_line
from app.ui.sessions.rows import ROW, Row
from app.ui.widgets import theme, worded
from model_backends.base import Sentence

_SIDE, _ABOVE, _BETWEEN = 10, 7, 3  # px


class SessionPainter(QStyledItemDelegate):
    """Paints rows and, for a new name, puts a line to type in over the name."""

    def sizeHint(
        self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> QSize:
        line = QFontMetrics(option.font).height()
        if index.data(ROW).entry is None:
            return QSize(60, line + 2 * _ABOVE + _BETWEEN)
        return QSize(60, 2 * line + 2 * _ABOVE + _BETWEEN)

    def paint(
        self,
        painter: QPainter,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        row: Row = index.data(ROW)
        look = theme.colors()
        painter.save()
        painter.setFont(option.font)
        room = option.rect.adjusted(_SIDE, _ABOVE, -_SIDE, -_ABOVE)
        if row.entry is None:
            painter.setPen(QColor(look.dim))
            painter.setFont(_bold(option.font))
            at = Qt.AlignmentFlag.AlignBottom | Qt.AlignmentFlag.AlignLeft
            painter.drawText(room, at, say(row.facts))
        else:
            selected = bool(option.state & QStyle.StateFlag.State_Selected)
            if selected:
                painter.fillRect(option.rect, QColor(look.accent))
            ink, dim = (look.on_accent,) * 2 if selected else (look.text, look.dim)
            self._paint_session(painter, room, row, QColor(ink), QColor(dim))
            if option.state & QStyle.StateFlag.State_HasFocus:
                painter.setPen(QColor(ink))
                painter.drawRect(option.rect.adjusted(1, 1, -2, -2))
        painter.restore()

    def createEditor(
        self,
        parent: QWidget,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> QWidget:
        editor = QLineEdit(parent)
        worded.name(editor, Sentence("Name of the session"))
        worded.placeholder(editor, Sentence("Name of the session"))
        editor.setMaxLength(200)
        return editor

    def updateEditorGeometry(
        self,
        editor: QWidget,
        option: QStyleOptionViewItem,
        index: QModelIndex | QPersistentModelIndex,
    ) -> None:
        editor.setGeometry(option.rect.adjusted(2, 2, -2, -2))

    def _paint_session(
        self, painter: QPainter, room: QRect, row: Row, ink: QColor, dim: QColor
    ) -> None:
        assert row.entry is not None
        line = painter.fontMetrics().height()
        upper = QRect(room.left(), room.top(), room.width(), line)
        lower = upper.translated(0, line + _BETWEEN)
        painter.setPen(dim)
        plain = painter.fontMetrics()
        shown = plain.elidedText(say(row.facts), Qt.TextElideMode.ElideRight, upper.width())
        painter.drawText(upper, 0, shown)
        painter.setPen(ink)
        title = [(row.entry.title, True), ("  ", False)] if row.entry.title else []
        one_line.draw(painter, QRectF(lower), [*title, *_said(row, plain, lower.width())])


def _said(row: Row, plain: QFontMetrics, width: int) -> list[one_line.Piece]:
    """What was said; the hit is in sight, whatever stands before it."""
    if row.snippet is None:
        return [(row.text, False)]
    before = plain.elidedText(row.snippet.before, Qt.TextElideMode.ElideLeft, width // 3)
    return [(before, False), (row.snippet.hit, True), (row.snippet.after, False)]


def _bold(font: QFont) -> QFont:
    bold = QFont(font)
    bold.setBold(True)
    return bold
