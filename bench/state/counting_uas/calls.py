"""The calls of the UAS: what it was asked, in which manner it answers, and how each ended."""

import asyncio
import random
import zlib

import message

T1 = 0.5
T2 = 4.0
GIVE_UP = 32.0


class Call:
    def __init__(self, attempt, epoch):
        self.attempt = attempt
        self.epoch = epoch  # how many crashes there had been before it
        self.branches = {}  # of INVITEs without a To tag: how often each came
        self.again_after_crash = False
        self.state = "unheard"  # then ringing, up; at last refused, cancelled, ended
        self.answered = False
        self.acked = False
        self.offers = 0  # re-INVITEs
        self.invite = None
        self.link = None  # where the latest of its requests came from
        self.last = b""  # response to the INVITE
        self.tag = ""
        self.timer = None

    def left_up(self):
        return self.state in ("ringing", "up")


class Calls:
    def __init__(self, seed, contact, lossy):
        self.seed = seed
        self.contact = contact
        self.lossy = lossy  # the first copy of one request in twenty is lost
        self.all = {}
        self.strangers = set()  # Call-IDs of which something but an INVITE came, and no INVITE
        self.epoch = 0
        self.seen = set()
        self.lost = 0
        self.loop = asyncio.get_running_loop()

    def on_crash(self):
        self.epoch += 1

    def draw(self, text):
        """Random numbers that are the same for the same seed and text."""
        return random.Random(zlib.crc32(f"{self.seed} {text}".encode()))

    def on_request(self, request, link):
        call = self.all.get(request.call_id)
        if request.method == "INVITE" and not request.to_tag:
            call = self.count(request, call)
        if self.loses(request):
            return
        if call is None or call.invite is None and request.method != "INVITE":
            if request.method != "ACK":
                self.strangers.add(request.call_id)
                link.send(message.respond(request, "481 No such call", "none"))
            return
        call.link = link
        handle = {
            "INVITE": self.on_offer if request.to_tag else self.on_invite,
            "ACK": self.on_ack,
            "BYE": self.on_bye,
            "CANCEL": self.on_cancel,
        }.get(request.method)
        if handle:
            handle(request, call)
        else:
            link.send(message.respond(request, "200 OK", call.tag))

    def count(self, request, call):
        """What is to be judged is counted of copies that are lost, too."""
        if call is None:
            call = self.all[request.call_id] = Call(request.get("x-attempt"), self.epoch)
        elif call.epoch != self.epoch:
            call.again_after_crash = True
        branch = request.branch + " " + request.cseq
        call.branches[branch] = call.branches.get(branch, 0) + 1
        return call

    def loses(self, request):
        name = f"{request.method} {request.branch} {request.cseq}"
        if not self.lossy or name in self.seen:
            return False
        self.seen.add(name)
        if self.draw(name).random() >= 0.05:
            return False
        self.lost += 1
        return True

    def on_invite(self, request, call):
        if call.invite is not None:
            if call.last:
                call.link.send(call.last)
            return
        call.invite = request
        call.state = "ringing"
        draw = self.draw(request.call_id)
        call.tag = f"{draw.getrandbits(48):x}"
        manner = draw.random()
        if manner < 0.20:  # at once
            self.answer(call)
            return
        self.say(call, "100 Trying" if manner < 0.30 else "180 Ringing")
        if manner < 0.25:
            self.later(call, draw.uniform(0.02, 0.3), self.refuse)
        elif manner < 0.65:
            self.later(call, draw.uniform(0.01, 0.4), self.answer)
        else:
            self.later(call, draw.uniform(0.5, 2.5), self.answer)

    def say(self, call, status, body=b""):
        tag = "" if status.startswith("100") else call.tag
        call.last = message.respond(call.invite, status, tag, self.contact, body)
        call.link.send(call.last)

    def later(self, call, delay, what):
        call.timer = self.loop.call_later(delay, what, call)

    def answer(self, call):
        call.state = "up"
        call.answered = True
        self.say(call, "200 OK", message.answer_to(call.invite.body))
        self.repeat(call, call.last)

    def refuse(self, call):
        call.state = "refused"
        self.say(call, "486 Busy Here")
        self.repeat(call, call.last)

    def repeat(self, call, text, after=T1, waited=0.0):
        """Sends a final response until its ACK; over a new connection, if there is one."""
        if waited >= GIVE_UP:
            return

        def again():
            if call.state == "up" or not call.link.reliable:
                call.link.send(text)
            self.repeat(call, text, min(2 * after, T2), waited + after)

        call.timer = self.loop.call_later(after, again)

    def on_offer(self, request, call):
        if call.state != "up" or request.to_tag != call.tag:
            call.link.send(message.respond(request, "481 No such call", "none"))
            return
        call.offers += 1
        call.timer.cancel()
        text = message.respond(
            request, "200 OK", call.tag, self.contact, message.answer_to(request.body)
        )
        call.link.send(text)
        self.repeat(call, text)

    def on_ack(self, _, call):
        call.acked = True
        if call.state in ("up", "refused", "cancelled"):
            call.timer.cancel()

    def on_bye(self, request, call):
        if request.to_tag != call.tag or call.state not in ("up", "ended"):
            call.link.send(message.respond(request, "481 No such call", "none"))
            return
        call.state = "ended"
        call.timer.cancel()
        call.link.send(message.respond(request, "200 OK", call.tag))

    def on_cancel(self, request, call):
        if request.branch != call.invite.branch:
            call.link.send(message.respond(request, "481 No such transaction", "none"))
            return
        call.link.send(message.respond(request, "200 OK", call.tag))
        if call.state == "ringing":
            call.timer.cancel()
            call.state = "cancelled"
            self.say(call, "487 Request Terminated")
            self.repeat(call, call.last)
