// One end of calls between two pages, without a SIP server: a SIP.js user agent that calls, and answers
// whatever calls it. For the driver to call as `end.start()` and so on.

import { Inviter, SessionState, UserAgent, Web } from "sip.js";
import { within } from "../wait.mjs";
import { ChannelTransport } from "./channel.js";
import { connected, sample } from "./media.js";

const patience = 10; // seconds, for each step

const { uri } = Object.fromEntries(new URLSearchParams(location.search));
const calls = []; // each the promise of a Call
let microphone;

const agent = new UserAgent({
  uri: UserAgent.makeURI(uri),
  transportConstructor: ChannelTransport,
  sessionDescriptionHandlerFactory: Web.defaultSessionDescriptionHandlerFactory(async () => microphone.clone()),
  sessionDescriptionHandlerFactoryOptions: { peerConnectionConfiguration: { iceServers: [] } },
  delegate: { onInvite: (invitation) => calls.push(answer(invitation)) },
  logLevel: "warn",
});

class Call {
  #session;
  #connection;
  #listener = new Audio();

  constructor(session) {
    const { peerConnection, remoteMediaStream } = session.sessionDescriptionHandler;
    this.#session = session;
    this.#connection = peerConnection;
    this.#listener.srcObject = remoteMediaStream;
  }

  async isUp() {
    await within(patience, "ICE and DTLS to be done", connected(this.#connection));
    await within(patience, "the audio to play", this.#listener.play());
    return this;
  }

  sample() {
    return sample(this.#connection);
  }

  hangUp() {
    const ended = new Promise((resolve, reject) => {
      const onReject = ({ message }) => reject(new Error(`BYE was answered with ${message.statusCode}`));
      this.#session.bye({ requestDelegate: { onAccept: () => resolve(), onReject } }).catch(reject);
    });
    return within(patience, "the answer to BYE", ended);
  }
}

async function answer(invitation) {
  await invitation.accept();
  return new Call(invitation).isUp();
}

async function call(target) {
  const session = new Inviter(agent, UserAgent.makeURI(target));
  const answered = new Promise((resolve, reject) => {
    session.stateChange.addListener((state) => {
      if (state === SessionState.Established) resolve();
      if (state === SessionState.Terminated) reject(new Error("the call ended early"));
    });
    session.invite().catch(reject);
  });
  await within(patience, "the answer to the call", answered);
  return new Call(session).isUp();
}

window.end = {
  // One microphone serves all calls, and nothing works on its sound: what is measured is the calls.
  async start() {
    const audio = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
    microphone = await navigator.mediaDevices.getUserMedia({ audio });
    await agent.start();
  },

  async call(target) {
    calls.push(call(target));
    await calls.at(-1);
  },

  async samples() {
    const all = await Promise.all(calls);
    return Promise.all(all.map((one) => one.sample()));
  },

  async hangUp() {
    const all = await Promise.all(calls);
    await Promise.all(all.map((one) => one.hangUp()));
  },
};
