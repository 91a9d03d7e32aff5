import zlib


def members(chunks, name=""):
    data = b"".join(chunks)
    yield iter([zlib.decompress(data, 31) if data[:2] == b"\x1f\x8b" else data])
