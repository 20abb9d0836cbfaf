// A SIP.js transport without a server: the two pages of one origin hear each other on a BroadcastChannel.

import { EmitterImpl, TransportState } from "sip.js";

export class ChannelTransport {
  protocol = "WS";
  state = TransportState.Disconnected;
  stateChange = new EmitterImpl();
  #channel;

  async connect() {
    if (this.isConnected()) return;
    this.#become(TransportState.Connecting);
    this.#channel = new BroadcastChannel("sip");
    this.#channel.onmessage = ({ data }) => this.onMessage?.(data);
    this.#become(TransportState.Connected);
    this.onConnect?.();
  }

  async disconnect() {
    if (!this.isConnected()) return;
    this.#become(TransportState.Disconnecting);
    this.#channel.close();
    this.#become(TransportState.Disconnected);
    this.onDisconnect?.();
  }

  dispose() {
    return this.disconnect();
  }

  isConnected() {
    return this.state === TransportState.Connected;
  }

  async send(message) {
    if (!this.isConnected()) throw new Error("not connected");
    this.#channel.postMessage(message);
  }

  #become(state) {
    this.state = state;
    this.stateChange.emit(state);
  }
}
