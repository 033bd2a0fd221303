"""How a session looks in the list: when and how much above, its name and what was said below."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter
from PySide6.QtWidgets import (
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from app.ui.sessions.rows import ROW, Row
from app.ui.widgets import theme

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
            painter.drawText(room, at, row.facts)
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
        editor.setAccessibleName("Name of the session")
        editor.setPlaceholderText("Name of the session")
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
        painter.drawText(upper, 0, plain.elidedText(row.facts, _RIGHT, upper.width()))
        painter.setPen(ink)
        left = lower
        if row.entry.title:
            left = _written(painter, left, row.entry.title + "  ", bold=True)
        if row.snippet is None:
            _written(painter, left, row.text)
            return
        before, hit, after = row.snippet.before, row.snippet.hit, row.snippet.after
        most = max(0, left.width() // 3)  # the hit itself is in sight, whatever stands before it
        before = plain.elidedText(before, Qt.TextElideMode.ElideLeft, most)
        left = _written(painter, left, before)
        left = _written(painter, left, hit, bold=True)
        _written(painter, left, after)


_RIGHT = Qt.TextElideMode.ElideRight


def _bold(font: QFont) -> QFont:
    bold = QFont(font)
    bold.setBold(True)
    return bold


def _written(painter: QPainter, room: QRect, text: str, bold: bool = False) -> QRect:
    """Draw it on one line, elided; what is left of the room after it."""
    usual = painter.font()
    if bold:
        painter.setFont(_bold(usual))
    metrics = painter.fontMetrics()
    painter.drawText(room, 0, metrics.elidedText(text, _RIGHT, room.width()))
    wide = metrics.horizontalAdvance(text)
    painter.setFont(usual)
    return room.adjusted(min(wide, room.width()), 0, 0, 0)
