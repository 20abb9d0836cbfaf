"""A UAS that counts INVITEs by attempt, and says at its end what it saw.

    python3 bench/state/counting_uas udp|tcp|tls PORT SEED JOURNAL [CERTIFICATE KEY]

It answers at once or after up to 2.5 s, or refuses; over UDP it loses one request in twenty,
once. A datagram that says "crashed" tells it that the caller's process has ended. With SIGTERM it writes
JOURNAL, one JSON line a call, and last one of its own.
"""

import asyncio
import json
import signal
import sys

import calls
import links


def write(journal, seen):
    with open(journal, "w", encoding="utf-8") as out:
        for call_id, call in seen.all.items():
            line = {
                "call_id": call_id,
                "attempt": call.attempt,
                "invites": len(call.branches),
                "copies": sum(call.branches.values()),
                "again_after_crash": call.again_after_crash,
                "state": call.state,
                "left_up": call.left_up(),
                "answered": call.answered,
                "acked": call.acked,
                "offers": call.offers,
            }
            print(json.dumps(line), file=out)
        strangers = sorted(seen.strangers - seen.all.keys())
        print(json.dumps({"strangers": strangers, "lost": seen.lost}), file=out)


async def run(kind, port, seed, journal, certificate):
    transport = "" if kind == "udp" else ";transport=" + kind
    contact = f"sip:uas@127.0.0.1:{port}{transport}"
    seen = calls.Calls(seed, contact, lossy=kind == "udp")
    await links.serve(kind, port, seen, certificate)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    write(journal, seen)


if __name__ == "__main__":
    if len(sys.argv) not in (5, 7) or sys.argv[1] not in ("udp", "tcp", "tls"):
        sys.exit(__doc__)
    asyncio.run(run(sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], sys.argv[5:]))
