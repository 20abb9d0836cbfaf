// A page with a phone of a library, driven from outside.

import { Wire } from "./wire.mjs";
import { within } from "./wait.mjs";

const patience = 15; // seconds: the page's own bound of each step comes first

export class Phone {
  #page;

  // What the page threw and nobody caught.
  complaints = [];
  wire;

  // Opens the page at `address`, which says who registers where.
  static async open(context, address) {
    const self = new Phone();
    self.#page = await context.newPage();
    self.wire = new Wire(self.#page);
    self.#page.on("pageerror", (error) => self.complaints.push(error.message));
    try {
      await self.#page.goto(address, { timeout: patience * 1000 });
    } catch (error) {
      await self.close();
      throw error;
    }
    return self;
  }

  // What its method gives: see pages/phone.js.
  ask(method, ...given) {
    return within(
      patience,
      `the page's ${method}`,
      this.#page.evaluate(([name, values]) => window.phone[name](...values), [method, given]),
    );
  }

  // Waits until the last request of that method was answered with 200.
  async accepted(method) {
    const status = await within(5, `the answer to ${method}`, this.wire.finalStatus(method));
    if (status !== 200) throw new Error(`${method} was answered with ${status}`);
  }

  async register() {
    await this.ask("register");
    await this.accepted("REGISTER");
  }

  async hangUp() {
    await this.ask("hangUp");
    await this.accepted("BYE");
  }

  // That the page threw nothing.
  check() {
    if (this.complaints.length > 0) throw new Error(`the page threw: ${this.complaints.join("; ")}`);
  }

  // Nobody in the page is told, as when a user closes it.
  close() {
    return this.#page.close();
  }
}

// What `act` gives; its error says that it was that step.
export async function step(name, act) {
  try {
    return await act();
  } catch (error) {
    throw new Error(`${name}: ${error.message.replace(/^page\.evaluate: (Error: )?/, "").split("\n")[0]}`);
  }
}
