"""What messages come over: UDP, TCP or TLS. A request is handed on with the link it came over, which
takes the bytes of its responses."""

import asyncio
import ssl

import message

# A datagram that is no SIP: all that came before it is of a process that is dead.
MARK = b"crashed"
LARGEST = 65536


class Datagrams(asyncio.DatagramProtocol):
    def __init__(self, calls):
        self.calls = calls

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, text, peer):
        if text.strip() == MARK:
            self.calls.on_crash()
            return
        request = message.parse(text)
        if request:
            self.calls.on_request(request, DatagramLink(self.transport, peer))


class DatagramLink:
    reliable = False

    def __init__(self, transport, peer):
        self.transport = transport
        self.peer = peer

    def send(self, text):
        self.transport.sendto(text, self.peer)


class Stream(asyncio.Protocol):
    """A connection, and the link of what comes over it."""

    reliable = True

    def __init__(self, calls):
        self.calls = calls
        self.pending = b""

    def connection_made(self, transport):
        self.transport = transport

    def send(self, text):
        if not self.transport.is_closing():
            self.transport.write(text)

    def data_received(self, text):
        self.pending += text
        while True:
            self.pending = self.pending.lstrip(b"\r\n")
            found = message.split(self.pending)
            if found is None:
                if len(self.pending) > LARGEST:
                    self.transport.abort()
                return
            lines, body = found
            end = body + message.body_length(message.headers_of(lines[1:]))
            if len(self.pending) < end:
                return
            request = message.parse(self.pending[:end])
            self.pending = self.pending[end:]
            if request:
                self.calls.on_request(request, self)


async def serve(kind, port, calls, certificate):
    """Serves 127.0.0.1:`port`; a mark is taken over UDP, whatever calls come over."""
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(
        lambda: Datagrams(calls), local_addr=("127.0.0.1", port)
    )
    if kind == "udp":
        return
    tls = None
    if kind == "tls":
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(*certificate)
    await loop.create_server(lambda: Stream(calls), "127.0.0.1", port, ssl=tls)
