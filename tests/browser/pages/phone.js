// What both pages do with their phone, for the driver to call as `phone.register()` and so on.

import { within } from "../wait.mjs";
import { connected, hideAddresses, listen, sample } from "./media.js";

const patience = 10; // seconds, for each step

// Makes `window.phone` of a class with register, call, ring, cancelled, answer, hold, ended, hangUp and
// unregister; the page's address says in its query where and who: server, uri, user, password; and whether
// addresses are hidden.
export function serve(Phone) {
  const query = Object.fromEntries(new URLSearchParams(location.search));
  if (query.addresses === "hidden") hideAddresses();
  const phone = new Phone(query);
  let connection, loudestHertz;
  const talk = async (made) => {
    connection = made;
    loudestHertz = listen(play(connection));
    await within(patience, "ICE and DTLS to be done", connected(connection));
  };
  window.phone = {
    register: () => within(patience, "the registration", phone.register()),
    hangUp: () => within(patience, "the end of the call", phone.hangUp()),
    unregister: () => within(patience, "the end of the registration", phone.unregister()),
    sample: async () => ({ ...(await sample(connection)), loudestHertz: loudestHertz() }),

    ring: () => within(patience, "a call", phone.ring()),
    cancelled: () => within(patience, "the call to be cancelled", phone.cancelled()),
    hold: () => within(patience, "the answer to the hold", phone.hold(true)),
    resume: () => within(patience, "the answer to the resumption", phone.hold(false)),
    ended: () => within(patience, "the other side to hang up", phone.ended()),

    async call(target) {
      await talk(await within(patience, "the answer to the call", phone.call(target)));
    },
    // The call that comes.
    async answer() {
      await talk(await within(patience, "a call and its ACK", phone.answer()));
    },
  };
}

// Chromium decodes, and so measures, only what somebody listens to.
function play(connection) {
  const tracks = connection.getReceivers().map((receiver) => receiver.track);
  const stream = new MediaStream(tracks);
  document.querySelector("audio").srcObject = stream;
  return stream;
}
