// One call of the matrix, from the registration to the end of it.

import { Wire } from "./wire.mjs";
import { poll, within } from "./wait.mjs";

const patience = 15; // seconds: the page's own bound of each step comes first

// Opens a page with a phone of `library`, registers, calls, judges the audio and hangs up. Gives what was
// measured; an error of it says which step failed, and in `wire` what went over the WebSocket.
export async function makeCall(context, { page: address, target }) {
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
  try {
    await page.goto(address, { timeout: patience * 1000 });
    await step("register", async () => {
      await ask("register");
      await accepted(wire, "REGISTER");
    });
    const started = performance.now();
    await step("call", () => ask("call", target));
    const setup = performance.now() - started;
    const audio = await step("audio", () => listen(() => ask("sample")));
    await step("hang up", async () => {
      await ask("hangUp");
      await accepted(wire, "BYE");
    });
    await step("unregister", () => ask("unregister"));
    if (complaints.length > 0) throw new Error(`the page threw: ${complaints.join("; ")}`);
    return { ...audio, setup };
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

async function accepted(wire, method) {
  const status = await within(5, `the answer to ${method}`, wire.finalStatus(method));
  if (status !== 200) throw new Error(`${method} was answered with ${status}`);
}

// Hears the beep of the microphone come back, and come back again: between beeps there is silence.
async function listen(sample) {
  const first = await poll(
    10,
    "more than 50 packets over DTLS-SRTP with a beep in them",
    sample,
    (now) => now.dtlsState === "connected" && now.packetsReceived > 50 && now.energyReceived > 1e-4,
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
