// One call of the matrix, from the registration to the end of it.

import { LoadCaller } from "./load_caller.mjs";
import { Wire } from "./wire.mjs";
import { poll, within } from "./wait.mjs";

const patience = 15; // seconds: the page's own bound of each step comes first

// Opens a page with a phone of `library`, registers, calls, judges the audio and hangs up. Gives what was
// measured; an error of it says which step failed, and in `wire` what went over the WebSocket.
export function makeCall(context, { page, target }) {
  return withPhone(context, page, async ({ ask, accepted }) => {
    const started = performance.now();
    await step("call", () => ask("call", target));
    const setup = performance.now() - started;
    const audio = await step("audio", () => hearOneself(() => ask("sample")));
    await step("hang up", async () => {
      await ask("hangUp");
      await accepted("BYE");
    });
    return { ...audio, setup };
  });
}

// The same, called by `jackfield load`, which is run as `caller` says. The page hangs up if `hangsUp`, else
// the caller does.
export function takeCall(context, { page, caller, hangsUp }) {
  return withPhone(context, page, async ({ ask, accepted }) => {
    const load = new LoadCaller({ ...caller, duration: hangsUp ? 60 : callSeconds, hangsUp });
    try {
      const started = performance.now();
      const answered = ask("answer");
      load.start();
      await step("answer", () => Promise.race([answered, load.failed]));
      const setup = performance.now() - started;
      const hear = caller.audio === "echo" ? hearOneself : hearTone(caller.tone);
      const audio = await step("audio", () => hear(() => ask("sample")));
      if (hangsUp) {
        await step("hang up", async () => {
          await ask("hangUp");
          await accepted("BYE");
        });
      } else {
        await step("end", () => ask("ended"));
      }
      const heard = await step("the caller's report", () => load.judge());
      return { ...audio, setup, caller: heard };
    } finally {
      load.kill();
    }
  });
}

const callSeconds = 6; // of a call that the caller ends

async function withPhone(context, address, act) {
  const page = await context.newPage();
  const wire = new Wire(page);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  const ask = (method, ...given) =>
    within(
      patience,
      `the page's ${method}`,
      page.evaluate(([name, values]) => window.phone[name](...values), [method, given]),
    );
  const accepted = async (method) => {
    const status = await within(5, `the answer to ${method}`, wire.finalStatus(method));
    if (status !== 200) throw new Error(`${method} was answered with ${status}`);
  };
  try {
    await page.goto(address, { timeout: patience * 1000 });
    await step("register", async () => {
      await ask("register");
      await accepted("REGISTER");
    });
    const measured = await act({ ask, accepted });
    await step("unregister", () => ask("unregister"));
    if (complaints.length > 0) throw new Error(`the page threw: ${complaints.join("; ")}`);
    return measured;
  } catch (error) {
    error.wire = wire.describe();
    error.complaints = complaints;
    throw error;
  } finally {
    await page.close();
  }
}

async function step(name, act) {
  try {
    return await act();
  } catch (error) {
    throw new Error(`${name}: ${error.message.replace(/^page\.evaluate: (Error: )?/, "").split("\n")[0]}`);
  }
}

const flows = (now) => now.dtlsState === "connected" && now.packetsReceived > 50;

// Hears the beep of the microphone come back, and come back again: between beeps there is silence.
async function hearOneself(sample) {
  const first = await poll(
    10,
    "more than 50 packets over DTLS-SRTP with a beep in them",
    sample,
    (now) => flows(now) && now.energyReceived > 1e-4,
  );
  return poll(
    10,
    "one more beep and a report on what was sent",
    sample,
    (now) =>
      now.energyReceived > 1.3 * first.energyReceived &&
      now.packetsReceived > first.packetsReceived &&
      now.roundTripTime !== undefined,
  );
}

// Hears a tone of so many hertz, going on.
function hearTone(hertz) {
  return (sample) =>
    poll(
      10,
      `more than 50 packets over DTLS-SRTP with a tone of ${hertz} Hz in them`,
      sample,
      (now) => flows(now) && now.energyReceived > 1e-4 && Math.abs(now.loudestHertz - hertz) < 25,
    );
}
