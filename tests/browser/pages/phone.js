// What both pages do with their phone, for the driver to call as `phone.register()` and so on.

import { within } from "../wait.mjs";
import { connected, hideAddresses, sample } from "./media.js";

const patience = 10; // seconds, for each step

// Makes `window.phone` of a class with register, call, hangUp and unregister; the page's address says
// in its query where and who: server, uri, user, password; and whether addresses are hidden.
export function serve(Phone) {
  const query = Object.fromEntries(new URLSearchParams(location.search));
  if (query.addresses === "hidden") hideAddresses();
  const phone = new Phone(query);
  let connection;
  window.phone = {
    register: () => within(patience, "the registration", phone.register()),
    hangUp: () => within(patience, "the end of the call", phone.hangUp()),
    unregister: () => within(patience, "the end of the registration", phone.unregister()),
    sample: () => sample(connection),

    async call(target) {
      connection = await within(patience, "the answer to the call", phone.call(target));
      play(connection);
      await within(patience, "ICE and DTLS to be done", connected(connection));
    },
  };
}

// Chromium decodes, and so measures, only what somebody listens to.
function play(connection) {
  const tracks = connection.getReceivers().map((receiver) => receiver.track);
  document.querySelector("audio").srcObject = new MediaStream(tracks);
}
