#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "storage/memory_store.hpp"
#include "storage/run_book.hpp"
#include "tests/actors/raw_peer.hpp"
#include "tests/actors/sim_world.hpp"

namespace jackfield {
namespace {

using namespace std::chrono_literals;

/// A client behind a WebSocket, as a browser is: nobody can connect to it (RFC 7118 §5). It says
/// what a test writes, and hears what comes over the connection that it has now.
class browser final : private wire_tap {
public:
  browser(sim_site& site, std::string name)
      : contact("sip:q3k8@df7jal23ls0d.invalid;transport=ws"), name_(std::move(name)), site_(site) {
    site_.context.router.set_tap(this);
  }
  ~browser() override { site_.context.router.set_tap(nullptr); }
  browser(const browser&) = delete;
  browser& operator=(const browser&) = delete;

  void connect(const sim_site& to) {
    auto settings = *site_.connections;
    settings.share = false;
    way_ =
      site_.context.router.transport().open(transport::protocol::ws, to.address, settings).value();
    heard.clear();
  }
  [[nodiscard]] const lane::endpoint& address() const { return site_.address; }
  void enrol() { enrol(name_); }
  void enrol(const std::string& user) {
    say("REGISTER", "sip:10.0.0.2", "registration-of-" + user, {}, user);
  }
  void call() { say("INVITE", "sip:service@10.0.0.2", "call", {}, "service"); }
  /// The ACK of what was answered.
  void confirm() {
    to_tag_ = tag_in(last("SIP/2.0 200"), "To");
    ASSERT_FALSE(to_tag_.empty());
    say("ACK", "sip:10.0.0.2:5060;transport=ws", "call", to_tag_, "service");
  }
  [[nodiscard]] std::string last(std::string_view beginning) const {
    std::string found;
    for (const auto& message : heard)
      if (message.starts_with(beginning))
        found = message;
    return found;
  }

  std::string contact;
  std::vector<std::string> heard; ///< over the latest connection

private:
  void say(const std::string& method, const std::string& uri, const std::string& call_id,
           const std::string& to_tag, const std::string& to) {
    const auto number = std::to_string(method == "ACK" ? cseq_ : ++cseq_);
    const auto text =
      method + " " + uri + " SIP/2.0\r\nVia: SIP/2.0/WS df7jal23ls0d.invalid;branch=" + "z9hG4bK" +
      name_ + number + method + "\r\nMax-Forwards: 70\r\nFrom: <sip:" + name_ +
      "@10.0.0.2>;tag=" + name_ + "\r\nTo: <sip:" + to + "@10.0.0.2>" +
      (to_tag.empty() ? "" : ";tag=" + to_tag) + "\r\nCall-ID: " + name_ + call_id +
      "\r\nCSeq: " + number + " " + method + "\r\nContact: <" + contact + ">\r\n" + body_of(method);
    ASSERT_TRUE(site_.context.router.send(way_, text, {}));
  }
  static std::string body_of(const std::string& method) {
    if (method != "INVITE")
      return "Content-Length: 0\r\n\r\n";
    const std::string offer =
      "v=0\r\no=- 1 1 IN IP4 10.1.0.1\r\ns=-\r\nc=IN IP4 10.1.0.1\r\nt=0 0\r\n"
      "m=audio 9000 RTP/AVP 0\r\n";
    return "Content-Type: application/sdp\r\nContent-Length: " + std::to_string(offer.size()) +
           "\r\n\r\n" + offer;
  }
  void on_message(wire_direction direction, const transport::flow& over, lane::time_point /*at*/,
                  std::string_view bytes) override {
    if (direction == wire_direction::received && over.handle == way_.handle)
      heard.emplace_back(bytes);
  }

  const std::string name_;
  sim_site& site_;
  transport::flow way_;
  std::string to_tag_;
  unsigned cseq_ = 0;
};

/// A connection that breaks without a word is noticed after 1.5 s.
router_settings watchful() {
  router_settings made;
  made.transport.keep_alive.websocket = 500ms;
  made.transport.keep_alive.pong_timeout = 1s;
  return made;
}

/// A browser in a call of 20 s with a service that it is registered at.
struct browser_in_call {
  browser_in_call() : world(3), service(add_service()), alice(add_client("10.0.0.1", "alice")) {
    world.keep_calls(service, store, storage::begin_run(store, {}).value());
    world.answer(service, manner(service));
    alice.connect(service);
    alice.enrol();
    world.pass(100ms);
    alice.call();
    world.pass(100ms);
    alice.confirm();
    world.pass(100ms);
  }

  sim_site& add_service() {
    return world.add_site("10.0.0.2", transport::protocol::ws, watchful());
  }
  browser& add_client(std::string_view address, std::string name) {
    return clients.emplace_back(world.add_site(address, transport::protocol::ws), std::move(name));
  }
  static answer_manner manner(const sim_site& site) {
    auto made = answer_manner_of(site);
    made.length = 20s;
    return made;
  }
  void cut(bool off) {
    world.lane().set_partition(lane::endpoint::parse("10.0.0.1", 0).value(), service.address, off);
  }
  /// The connection breaks, and that is noticed.
  void lose_connection() {
    cut(true);
    world.pass(3s);
    cut(false);
  }
  sim_site& restart(bool resume = true) {
    left = std::make_unique<storage::memory_store>(store);
    world.crash(service);
    auto& next = add_service();
    world.keep_calls(next, *left, storage::begin_run(*left, {}).value());
    world.answer(next, manner(next));
    if (resume)
      world.resume(next, *left);
    return next;
  }

  storage::memory_store store;
  std::unique_ptr<storage::memory_store> left;
  sim_world world;
  sim_site& service;
  std::deque<browser> clients;
  browser& alice;
};

TEST(returning_client, is_told_the_end_of_its_call_over_the_connection_it_registers_anew_by) {
  browser_in_call b;
  b.lose_connection();
  EXPECT_EQ(b.service.context.router.awaiting(), 1U);
  b.alice.connect(b.service);
  b.alice.enrol();
  b.world.pass(30s);
  EXPECT_EQ(b.world.heard().calls.size(), 0U);
  const auto bye = b.alice.last("BYE ");
  ASSERT_NE(bye, "") << "the call waits 30 s for its client, and lasts 20";
  EXPECT_TRUE(bye.starts_with("BYE " + b.alice.contact)) << bye;
}

TEST(returning_client, that_registers_before_its_old_connection_is_known_to_be_over_is_found) {
  browser_in_call b;
  b.alice.connect(b.service); // as after a change of its network: nobody closes the old one
  b.alice.enrol();
  b.world.pass(30s);
  EXPECT_NE(b.alice.last("BYE "), "");
}

// Its network has changed, which the other end sees later than it.
TEST(returning_client, that_registered_before_its_call_lost_the_way_is_found) {
  browser_in_call b;
  b.cut(true);
  auto& there = b.add_client("10.0.0.4", "alice");
  there.contact += ";ob"; // another contact at the same place
  there.connect(b.service);
  there.enrol();
  b.world.pass(30s);
  EXPECT_NE(there.last("BYE "), "");
}

TEST(returning_client, is_found_by_a_call_that_a_crash_left) {
  browser_in_call b;
  auto& next = b.restart();
  b.world.pass(1s);
  EXPECT_FALSE(b.world.heard().resumed) << "it is waited for";
  b.alice.connect(next);
  b.alice.enrol();
  b.world.pass(1s);
  const auto offer = b.alice.last("INVITE ");
  EXPECT_TRUE(offer.starts_with("INVITE " + b.alice.contact)) << offer;
  EXPECT_EQ(tag_in(offer, "To"), "alice");
  EXPECT_TRUE(b.world.heard().resumed) << "it refuses, as it knows no such dialog";
}

TEST(returning_client, that_registered_before_calls_are_taken_up_is_found_by_them) {
  browser_in_call b;
  auto& next = b.restart(false);
  b.alice.connect(next);
  b.alice.enrol();
  b.world.pass(1s);
  EXPECT_EQ(b.alice.last("INVITE "), "");
  b.world.resume(next, *b.left);
  b.world.pass(1s);
  EXPECT_NE(b.alice.last("INVITE "), "");
}

TEST(returning_client, is_not_who_shows_the_same_contact_under_another_name) {
  browser_in_call b;
  b.lose_connection();
  auto& mallory = b.add_client("10.0.0.3", "mallory");
  mallory.connect(b.service);
  mallory.enrol();
  b.world.pass(1min);
  EXPECT_NE(mallory.last("SIP/2.0 200"), "");
  EXPECT_EQ(mallory.last("BYE "), "");
}

// As users of one proxy are.
TEST(returning_client, does_not_take_along_whose_calls_shared_its_connection) {
  browser_in_call b;
  const auto place = std::exchange(b.alice.contact, "sip:bob@elsewhere.invalid;transport=ws");
  b.alice.enrol("bob");
  b.world.pass(100ms);
  b.alice.connect(b.service);
  b.alice.enrol("bob");
  b.world.pass(10s);
  b.alice.contact = place;
  EXPECT_NE(b.alice.last("SIP/2.0 200"), "");
  b.world.pass(20s);
  EXPECT_EQ(b.alice.last("BYE "), "") << "it went over the first connection";
}

TEST(returning_client, that_never_comes_is_given_up) {
  browser_in_call b;
  b.lose_connection();
  b.world.pass(1min);
  EXPECT_EQ(b.service.context.router.legs().size(), 0U);
  EXPECT_EQ(b.service.context.router.awaiting(), 0U);
}

// A call, its user's registration and the connection are each of one of two lanes, of any.
TEST(returning_client, is_found_whichever_lanes_serve_it) {
  constexpr size_t users = 16;
  sim_world world{9};
  std::vector<sim_site*> lanes;
  for (uint8_t position : {0, 1}) {
    auto settings = watchful();
    settings.position = position;
    settings.seed = 7;
    lanes.push_back(
      &world.add_site("10.0.0." + std::to_string(2 + position), transport::protocol::ws, settings));
  }
  lane_peers::join({&lanes[0]->context.router, &lanes[1]->context.router});
  const auto shards = std::make_shared<registrar_shards>(2);
  for (auto* site : lanes)
    world.answer(*site, browser_in_call::manner(*site), {}, shards);
  std::deque<browser> clients;
  for (size_t i = 0; i < users; ++i) {
    auto& client = clients.emplace_back(
      world.add_site("10.0.1." + std::to_string(i + 1), transport::protocol::ws),
      "user" + std::to_string(i));
    client.connect(*lanes[i % 2]);
    if (i / 2 % 2 != 0)
      client.enrol();
    client.call();
  }
  world.pass(100ms);
  for (auto& client : clients)
    client.confirm();
  world.pass(100ms);
  EXPECT_GT(lanes[0]->context.router.legs().size(), 0U);
  EXPECT_GT(lanes[1]->context.router.legs().size(), 0U);
  // Of half of them the old connection is known to be over.
  const auto cut = [&](bool off) {
    for (size_t i = 0; i < users; ++i)
      if (i / 2 % 2 == 0)
        world.lane().set_partition(clients[i].address(), lanes[i % 2]->address, off);
  };
  cut(true);
  world.pass(3s);
  cut(false);
  for (size_t i = 0; i < users; ++i) {
    clients[i].connect(*lanes[i / 4 % 2]);
    clients[i].enrol();
  }
  world.pass(30s);
  for (size_t i = 0; i < users; ++i)
    EXPECT_NE(clients[i].last("BYE "), "") << i;
  for (auto* site : lanes)
    EXPECT_EQ(site->context.router.awaiting(), 0U);
}

} // namespace
} // namespace jackfield
