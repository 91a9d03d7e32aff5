class NdjsonFile:
    def __init__(self, path, *, rotate_at=None, keep=5): self.f = open(path, "ab")
    def write(self, records):
        for r in records: self.f.write(r.event + b"\n")
    def flush(self): self.f.flush()
    def close(self): self.f.close()
