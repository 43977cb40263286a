"""A file as it grows: segments of staged objects, and a frame of small bytes between them that is staged once."""

from dataclasses import replace

from export_pipelines.core.frozen import Segment
from export_pipelines.packaging.staging import Stage

_FRAME = ""


class Layout:
    """Keeps count of where everything lies."""

    def __init__(self) -> None:
        self.size = 0
        self._segments: list[Segment] = []
        self._frame = bytearray()

    @property
    def segments(self) -> tuple[Segment, ...]:
        """What was placed so far, for a file without a frame."""
        return tuple(self._segments)

    def place(self, segment: Segment) -> int:
        """Append a segment; the offset in the file where it begins."""
        at = self.size
        last = self._segments[-1] if self._segments else None
        if last and last.key == segment.key and last.offset + last.size == segment.offset:
            self._segments[-1] = replace(last, size=last.size + segment.size)
        elif segment.size:
            self._segments.append(segment)
        self.size += segment.size
        return at

    def place_bytes(self, data: bytes) -> int:
        """Append a few bytes of the file's own frame; the offset in the file where they begin."""
        segment = Segment(key=_FRAME, offset=len(self._frame), size=len(data))
        self._frame += data
        return self.place(segment)

    def finish(self, stage: Stage, *, name: str) -> tuple[Segment, ...]:
        """Stage the frame under ``name``; the segments of the whole file."""
        with stage(name) as frame:
            frame.write(bytes(self._frame))
        key = frame.staged.key
        return tuple(replace(part, key=key) if part.key == _FRAME else part for part in self._segments)
