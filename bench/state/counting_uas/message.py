"""SIP messages, as far as an answering side needs them."""

COMPACT = {"v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length"}
COPIED = ("via", "from", "to", "call-id", "cseq")


class Request:
    def __init__(self, method, headers, body):
        self.method = method
        self.headers = headers  # (name in small letters, value), in order
        self.body = body
        self.call_id = self.get("call-id")
        via = self.get("via")
        self.branch = via.partition("branch=")[2].partition(";")[0]
        self.cseq = self.get("cseq")
        self.to_tag = self.get("to").partition(";tag=")[2].partition(";")[0]

    def get(self, name):
        for key, value in self.headers:
            if key == name:
                return value
        return ""


def split(text):
    """Header lines of a message, and where its body begins; None: it is not all there."""
    end = text.find(b"\r\n\r\n")
    if end < 0:
        return None
    return text[:end].decode("utf-8", "replace").split("\r\n"), end + 4


def headers_of(lines):
    found = []
    for line in lines:
        name, _, value = line.partition(":")
        name = name.strip().lower()
        found.append((COMPACT.get(name, name), value.strip()))
    return found


def body_length(headers):
    return next((int(value) for name, value in headers if name == "content-length"), 0)


def parse(text):
    """A request; None: a response, or no message."""
    found = split(text)
    if found is None:
        return None
    lines, body = found
    words = lines[0].split(" ")
    if len(words) != 3 or words[2] != "SIP/2.0":
        return None
    return Request(words[0], headers_of(lines[1:]), text[body:])


def respond(request, status, tag, contact="", body=b""):
    """The bytes of a response; `status` is as "200 OK"."""
    lines = ["SIP/2.0 " + status]
    for name, value in request.headers:
        if name not in COPIED:
            continue
        if name == "to" and tag and ";tag=" not in value:
            value += ";tag=" + tag
        lines.append(f"{name}: {value}")
    if contact:
        lines.append(f"Contact: <{contact}>")
    if body:
        lines.append("Content-Type: application/sdp")
    lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def answer_to(offer):
    """The description that takes each PCMU stream of an offer, and sends nothing."""
    lines = ["v=0", "o=- 1 1 IN IP4 127.0.0.1", "s=-", "c=IN IP4 127.0.0.1", "t=0 0"]
    media = [line for line in offer.decode().split("\r\n") if line.startswith("m=")]
    for _ in media or ["m=audio"]:
        lines += ["m=audio 9 RTP/AVP 0", "a=inactive"]
    return ("\r\n".join(lines) + "\r\n").encode()
