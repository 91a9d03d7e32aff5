import sys
def sink_named(text, default_socket, stop=None, oversized=None):
    class S:
        def write(self, records):
            for r in records: sys.stdout.buffer.write(r.event + b"\n")
        def flush(self): sys.stdout.flush()
        def close(self): pass
    return S()
