// One call of the matrix, from the registration to the end of it.

import { hearOneself, hearTone } from "./hearing.mjs";
import { LoadCaller } from "./load_caller.mjs";
import { Phone, step } from "./phone.mjs";

// Opens a page with a phone of `library`, registers, calls, judges the audio and hangs up. Gives what was
// measured; an error of it says which step failed, and in `wire` what went over the WebSocket.
export function makeCall(context, { page, target }) {
  return withPhone(context, page, async (phone) => {
    const started = performance.now();
    await step("call", () => phone.ask("call", target));
    const setup = performance.now() - started;
    const audio = await step("audio", () => hearOneself(() => phone.ask("sample")));
    await step("hang up", () => phone.hangUp());
    return { ...audio, setup };
  });
}

// The same, called by `jackfield load`, which is run as `caller` says. The page hangs up if `hangsUp`, else
// the caller does.
export function takeCall(context, { page, caller, hangsUp }) {
  return withPhone(context, page, async (phone) => {
    const load = new LoadCaller({ ...caller, duration: hangsUp ? 60 : callSeconds, hangsUp });
    try {
      const started = performance.now();
      const answered = phone.ask("answer");
      load.start();
      await step("answer", () => Promise.race([answered, load.failed]));
      const setup = performance.now() - started;
      const hear = caller.audio === "echo" ? hearOneself : hearTone(caller.tone);
      const audio = await step("audio", () => hear(() => phone.ask("sample")));
      if (hangsUp) await step("hang up", () => phone.hangUp());
      else await step("end", () => phone.ask("ended"));
      const heard = await step("the caller's report", () => load.judge());
      return { ...audio, setup, caller: heard };
    } finally {
      load.kill();
    }
  });
}

const callSeconds = 6; // of a call that the caller ends

async function withPhone(context, address, act) {
  const phone = await Phone.open(context, address);
  try {
    await step("register", () => phone.register());
    const measured = await act(phone);
    await step("unregister", () => phone.ask("unregister"));
    phone.check();
    return measured;
  } catch (error) {
    error.wire = phone.wire.describe();
    error.complaints = phone.complaints;
    throw error;
  } finally {
    await phone.close();
  }
}
