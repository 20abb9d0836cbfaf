// Pages as agents of `jackfield serve`: they take calls from a queue, hold them, wrap up, ring together, and
// are closed at bad moments.

import path from "node:path";
import { Floor, music, tone, wrapUp } from "./floor.mjs";
import { hearNothing, hearTone } from "./hearing.mjs";
import { step } from "./phone.mjs";
import { within } from "./wait.mjs";

const slack = 0.05; // seconds: an event is stamped a little after the time it counts from
const mediaTimeout = 60; // seconds, of the centre: nobody hears nothing for longer

const both = ["sipjs", "jssip"];
const scenarios = [
  { name: "agents over ws", agents: both, play: (floor) => takeCalls(floor, "ws", ["sipjs", "jssip"]) },
  { name: "agents over wss", agents: both, play: (floor) => takeCalls(floor, "wss", ["jssip", "sipjs"]) },
  { name: "two phones of one agent", agents: ["alice"], play: twoPhones },
  { name: "closed pages, sipjs first", agents: both, play: (floor) => lostPages(floor, ["sipjs", "jssip"]) },
  { name: "closed pages, jssip first", agents: both, play: (floor) => lostPages(floor, ["jssip", "sipjs"]) },
  { name: "killed browsers", agents: both, play: (floor) => lostPages(floor, ["sipjs", "jssip"], { killed: true }) },
];

// Runs all scenarios at once, each at a centre of its own; gives { passed, total }.
export async function serveAgents(context, pages, { programFile, mediaIp, folder, chromium }) {
  const results = await Promise.all(
    scenarios.map(async ({ name, agents, play }, i) => {
      const own = path.join(folder, `floor${i}`);
      const floor = new Floor({ context, pages, programFile, mediaIp, chromium, folder: own, agents });
      try {
        const told = await floor.run(play);
        console.log(`${name}: passed, ${told}`);
        return true;
      } catch (error) {
        console.log(`${name}: FAILED, ${error.message}`);
        for (const line of floor.describe()) console.log(`    ${line}`);
        return false;
      } finally {
        await floor.close();
      }
    }),
  );
  return { passed: results.filter(Boolean).length, total: scenarios.length };
}

// Two agents have a caller each, and one more waits for the first who is through with the own one. Of
// `agents` the first hangs up, the other is hung up.
async function takeCalls(floor, transport, agents) {
  const { centre } = floor;
  const phones = {};
  // Who is ready first has been idle for longest.
  for (const name of agents) {
    phones[name] = await step(`${name} logs in`, () => floor.phone(name, transport));
    await step(`${name} is ready`, () => floor.becomes(name, "ready"));
  }
  const callers = {};
  for (const name of agents) {
    callers[name] = await step(`${name} answers`, () => takeNext(floor, phones[name], name, floor.call()));
  }
  const third = floor.call();
  await step("one more waits", () => centre.event({ event: "call.entered", from: third.address, position: 1 }));
  await Promise.all(agents.map((name) => talkAndHold(name, phones[name])));

  const [active, passive] = agents;
  const from = centre.now;
  await step(`${active} hangs up`, () => phones[active].hangUp());
  const ready = await step(`${active} wraps up`, () => wrapsUp(floor, active, from));
  await step(`${active} takes the one who waits`, async () => {
    await takeNext(floor, phones[active], active, third);
    const [{ seq }] = centre.all({ event: "call.offered", from: third.address });
    if (seq < ready.seq) throw new Error(`offered by event ${seq}, expected it after ${ready.seq}, which ends wrap-up`);
  });
  await step(`${active} hears the one who waited`, () => hearTone(tone)(() => phones[active].ask("sample")));
  const later = centre.now;
  callers[passive].hangUp();
  await step(`${passive} is hung up`, () => phones[passive].ask("ended"));
  await step(`${passive} wraps up`, () => wrapsUp(floor, passive, later));
  const last = centre.now;
  await step(`${active} hangs up again`, () => phones[active].hangUp());
  await step(`${active} wraps up again`, () => wrapsUp(floor, active, last));
  const heldFor = await Promise.all(
    agents.map((name) =>
      step(`the report of ${name}'s caller`, async () =>
        judgeHeld(await callers[name].record(), name === passive ? "caller" : "callee"),
      ),
    ),
  );
  await step("the report of the caller who waited", async () =>
    judgeWaiting(await third.record(), "callee"),
  );
  for (const { address } of [callers[active], callers[passive], third]) {
    const ended_by = address === callers[passive].address ? "caller" : "agent";
    await step(`the end of ${address}`, () => centre.event({ event: "call.completed", from: address, ended_by }));
  }
  return `callers on hold heard music for ${heldFor.join(" and ")} ms, and the agents before and after it`;
}

// Waits until the caller is offered to the agent, whose phone answers; gives the caller.
async function takeNext(floor, phone, agent, caller) {
  const { address: from } = caller;
  await floor.centre.event({ event: "call.offered", agent, from });
  await phone.ask("answer");
  await floor.centre.event({ event: "call.connected", agent, from });
  return caller;
}

async function talkAndHold(name, phone) {
  const sample = () => phone.ask("sample");
  await step(`${name} hears the caller`, () => hearTone(tone)(sample));
  await step(`${name} holds`, () => reinvite(phone, "hold", ["sendonly", "recvonly"]));
  await step(`${name} hears nothing of the caller on hold`, () => hearNothing(sample));
  await step(`${name} resumes`, () => reinvite(phone, "resume", ["sendrecv", "sendrecv"]));
  await step(`${name} hears the caller again`, () => hearTone(tone)(sample));
}

async function reinvite(phone, how, expected) {
  await phone.ask(how);
  await phone.accepted("INVITE");
  const found = phone.wire.directions("INVITE");
  if (String(found) !== String(expected)) {
    throw new Error(`it offered and was answered ${found.join(" and ")}, expected ${expected.join(" and ")}`);
  }
}

// Waits until the agent has wrapped up and gives the event of it.
async function wrapsUp(floor, agent, from) {
  const began = await floor.becomes(agent, "wrap_up", { from });
  const ready = await floor.becomes(agent, "ready", { from });
  const took = (ready.at_us - began.at_us) / 1e6;
  if (ready.before !== "wrap_up" || took < wrapUp - slack) {
    throw new Error(`ready after ${took} s of ${ready.before}, expected ${wrapUp} s of wrap_up`);
  }
  return ready;
}

// One agent, two phones: both ring for each caller. First one answers, then the other, then both at once, then
// none, and the caller gives up; last, one is closed while both ring.
async function twoPhones(floor) {
  const { centre } = floor;
  const agent = "alice";
  const phones = {};
  for (const [library, transport] of Object.entries({ sipjs: "wss", jssip: "ws" })) {
    phones[library] = await step(`${library} logs in`, () => floor.phone(library, transport, { name: agent }));
  }
  await step("alice is ready", () => floor.becomes(agent, "ready"));
  const bothRing = async (before) => {
    const from = centre.now;
    const caller = floor.call();
    await step(`both ring before ${before}`, () => Promise.all(both.map((one) => phones[one].ask("ring"))));
    return { caller, from };
  };
  const expectOnce = (caller, what, events) => {
    for (const event of ["call.entered", "call.offered", "call.connected", "call.completed", "call.abandoned"]) {
      const { length } = centre.all({ event, from: caller.address });
      const expected = events.includes(event) ? 1 : 0;
      if (length !== expected) throw new Error(`${what}: ${length} events ${event}, expected ${expected}`);
    }
  };
  const talkAndHangUp = async (library, { caller, from }) => {
    await step(`${library} hears the caller`, () => hearTone(tone)(() => phones[library].ask("sample")));
    await step(`${library} hangs up`, () => phones[library].hangUp());
    await step(`the report of ${library}'s caller`, async () => judge(await caller.record(), "callee"));
    await step("alice wraps up", () => wrapsUp(floor, agent, from));
    expectOnce(caller, `${library} answers`, ["call.entered", "call.offered", "call.connected", "call.completed"]);
  };

  const toldOff = (library, methods, from) =>
    within(5, `a ${methods.join(" or ")} to ${library}`, phones[library].wire.received(methods, from));

  for (const [answers, other] of [["sipjs", "jssip"], ["jssip", "sipjs"]]) {
    const from = phones[other].wire.now;
    const call = await bothRing(`${answers} answers`);
    await step(`${answers} answers`, () => phones[answers].ask("answer"));
    await step(`${other} is cancelled`, async () => {
      await toldOff(other, ["CANCEL"], from);
      await phones[other].ask("cancelled");
    });
    await talkAndHangUp(answers, call);
  }

  const call = await bothRing("both answer");
  const last = both.map((one) => phones[one].wire.now);
  const answers = both.map((one) => phones[one].ask("answer"));
  for (const each of answers) each.catch(() => {}); // one is refused, or never hears anything
  const slower = await step("both answer at once", () =>
    Promise.any(
      both.map(async (one, i) => {
        await toldOff(one, ["CANCEL", "BYE"], last[i]);
        return i;
      }),
    ),
  );
  await step(`${both[1 - slower]} answers just before ${both[slower]}`, () => answers[1 - slower]);
  await talkAndHangUp(both[1 - slower], call);

  const { caller, from } = await bothRing("the caller gives up");
  caller.hangUp();
  await step("both are cancelled", () => Promise.all(both.map((one) => phones[one].ask("cancelled"))));
  await step("alice is ready at once", async () => {
    const { before } = await floor.becomes(agent, "ready", { from });
    if (before !== "offered") throw new Error(`ready after ${before}, expected offered`);
  });
  await step("the call is abandoned", () => centre.event({ event: "call.abandoned", from: caller.address }));
  expectOnce(caller, "the caller gives up", ["call.entered", "call.offered", "call.abandoned"]);

  const afterLoss = await bothRing("the page of sipjs is closed");
  await floor.lose(phones.sipjs);
  await step("jssip answers, the page of sipjs being closed", () => phones.jssip.ask("answer"));
  await talkAndHangUp("jssip", afterLoss);
  return `each rang, answered and was cancelled; of both at once ${both[1 - slower]} was first`;
}

// The first agent's page goes in mid-call, the second's in mid-offer; both come back.
async function lostPages(floor, [first, second], { killed = false } = {}) {
  const { centre } = floor;
  const phones = {};
  for (const name of [first, second]) {
    phones[name] = await step(`${name} logs in`, () => floor.phone(name, "wss", { killed }));
    await step(`${name} is ready`, () => floor.becomes(name, "ready"));
  }
  const caller = floor.call();
  await step(`${first} answers`, () => takeNext(floor, phones[first], first, caller));
  await step(`${first} hears the caller`, () => hearTone(tone)(() => phones[first].ask("sample")));
  let from = centre.now;
  const lost = performance.now();
  await floor.lose(phones[first]);
  await step("the report of the caller whose agent is gone", async () =>
    judge(await caller.record(mediaTimeout + 5), "callee"),
  );
  const after = performance.now() - lost;
  const { cause } = await step("the end of that call", () =>
    centre.event({ event: "call.completed", agent: first, ended_by: "agent" }),
  );
  const gone = await step(`${first} is unreachable`, () => floor.becomes(first, "unreachable", { from }));
  if (gone.before !== "wrap_up") throw new Error(`${first} was ${gone.before} before unreachable, expected wrap_up`);
  await step(`${first} comes back`, () => comeBack(floor, first, phones));

  from = centre.now;
  const next = floor.call(); // the second has been idle for longest
  await step(`${second} rings`, async () => {
    await centre.event({ event: "call.offered", agent: second, from: next.address });
    await phones[second].ask("ring");
  });
  const again = performance.now();
  await floor.lose(phones[second]);
  await step(`the caller is not taken by ${second}`, () =>
    centre.event({ event: "call.not_taken", agent: second, from: next.address, cause: "unreachable" }),
  );
  await step(`${first} answers instead`, () => takeNext(floor, phones[first], first, next));
  const instead = performance.now() - again;
  await step(`${first} hears the caller instead`, () => hearTone(tone)(() => phones[first].ask("sample")));
  await step(`${second} is unreachable`, () => floor.becomes(second, "unreachable", { from }));
  await step(`${first} hangs up`, () => phones[first].hangUp());
  await step("the report of the caller", async () => judge(await next.record(), "callee"));
  await step(`${second} comes back`, () => comeBack(floor, second, phones));
  return (
    `the caller in mid-call was ended after ${after.toFixed(0)} ms (${cause}), ` +
    `the one in mid-offer was up with the other agent after ${instead.toFixed(0)} ms`
  );
}

async function comeBack(floor, name, phones) {
  const from = floor.centre.now;
  phones[name] = await floor.phone(name, "wss");
  const ready = await floor.becomes(name, "ready", { from });
  if (ready.before !== "unreachable") throw new Error(`ready after ${ready.before}, expected unreachable`);
}

// That the call ended well, by `endedBy`, and its caller heard beeps, and music, if any, only before them; or, of a caller
// who was `held`, between them.
function judge(record, endedBy, held = false) {
  const cause = endedBy === "caller" ? "stopped" : null;
  if (record.ended_by !== endedBy || record.cause !== cause) {
    throw new Error(`ended by ${record.ended_by}: ${record.cause}, expected by ${endedBy}: ${cause}`);
  }
  const { heard } = record;
  const firstBeep = heard.findIndex(({ what }) => what === "sound");
  const isRight = ({ what, hz }, i) => what !== "tone" || ((held || i < firstBeep) && Math.abs(hz[0] - music) < 5);
  if (firstBeep < 0 || !heard.every(isRight)) {
    throw new Error(`it heard ${JSON.stringify(heard)}, expected the beeps of the agent, and no music from then on`);
  }
}

// The same of a caller who waited.
function judgeWaiting(record, endedBy) {
  judge(record, endedBy);
  if (!record.heard.some(({ what, ms }) => what === "tone" && ms > 1000)) {
    throw new Error(`it heard ${JSON.stringify(record.heard)}, expected more than 1000 ms of music`);
  }
}

// The same of a caller who was on hold, knew nothing of it, and heard music between beeps; gives for how long.
function judgeHeld(record, endedBy) {
  judge(record, endedBy, true);
  const { heard } = record;
  const beeps = ({ what }) => what === "sound";
  const held = heard.findIndex(
    ({ what, ms }, i) => what === "tone" && ms > 700 && heard.slice(0, i).some(beeps) && heard.slice(i).some(beeps),
  );
  if (held < 0) {
    throw new Error(`it heard ${JSON.stringify(heard)}, expected beeps, music for more than 700 ms, and beeps`);
  }
  return heard[held].ms;
}
