"""All that crosses a process: ids, cursors, records, frames, topics, codes. No I/O, no clock."""
