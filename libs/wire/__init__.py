"""All that crosses a process: ids, cursors, records, frames, topics, codes. Pure: no I/O, no clock."""
