#include <algorithm>
#include <cctype>
#include <csignal>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/interop/http_client.hpp"
#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

using json = nlohmann::json;
using testing::HasSubstr;

constexpr auto json_type = "Content-Type: application/json";

/// `jackfield serve` with its API, the queues "support" and "sales", and the agents alice and bob.
class serve_api : public testing::Test {
protected:
  serve_api() {
    const std::string config =
      "[server]\nlisten = [\"udp:127.0.0.1:0\"]\nlanes = 2\n"
      "[api]\nlisten = \"127.0.0.1:0\"\n"
      "[recording]\ndirectory = \".\"\n"
      "[[agent]]\nname = \"alice\"\npassword = \"pw-alice\"\n"
      "wrap_up = \"10m\"\n"
      "[[agent]]\nname = \"bob\"\npassword = \"pw-bob\"\n"
      "[[queue]]\nname = \"support\"\nnumbers = [\"100\"]\n"
      "members = [\"alice\"]\nmusic = \"silence\"\n"
      "[[queue]]\nname = \"sales\"\nmembers = \"all\"\nmusic = \"silence\"\n"
      "[[trunk]]\nname = \"out\"\nuri = \"sip:127.0.0.1:9\"\noptions_every = \"30s\"\n"
      "[[trunk]]\nname = \"in\"\nuri = \"sip:127.0.0.1:9\"\nmost_calls = 3\n";
    program_ = std::make_unique<process>(
      "serve", folder_,
      arguments{JACKFIELD_PROGRAM, "serve", "-c", folder_.write("centre.toml", config), "--events",
                folder_.file("events.jsonl"), "--state", folder_.file("state")});
    sip_ = port_in(program_->wait_for_rest_of_line("listening on UDP "));
    const auto api = program_->wait_for_rest_of_line("API on ");
    port_ = port_in(api.substr(0, api.find(',')));
    std::getline(std::ifstream{folder_.file("api-token")}, token_);
    EXPECT_TRUE(program_->wait_for("serving "));
  }

  [[nodiscard]] std::string bearer() const { return "Authorization: Bearer " + token_; }
  http_answer get(const std::string& target) const {
    return ask(port_, {"GET", target, {bearer()}});
  }
  http_answer put_state(const std::string& agent, const std::string& body) const {
    return ask(port_, {"PUT", "/v1/agents/" + agent + "/state", {bearer(), json_type}, body});
  }

  /// Alice's phone, once it is registered and she is ready.
  void start_phone() {
    phone_ = std::make_unique<process>(
      "phone", folder_,
      arguments{JACKFIELD_PROGRAM, "answer", "--users",
                folder_.write("agents.csv", "user,password\nalice,pw-alice\n"), "--register",
                "sip:" + loopback(sip_), "--media", "rtp"});
    ASSERT_TRUE(phone_->wait_for("registered "));
    ASSERT_TRUE(wait_for_alice("ready"));
  }
  running_load start_caller() {
    return start_load(folder_, {sip_uri("100", sip_), "-m", "1", "-r", "1", "--duration", "300s",
                                "--callee-hangs-up", "expected", "--codecs", "PCMU"});
  }

  /// Reads on until there is such an event; false: the API said no more. Events of a queue and of
  /// an agent have no order between them.
  bool wait_for_event(const std::string& name) {
    for (;;) {
      const auto told = next_event();
      if (!told.is_object())
        return false;
      for (const auto& event : told.at("events"))
        if (event.at("event") == name)
          return true;
    }
  }
  bool wait_for_alice(const std::string& state) {
    for (;;) {
      if (get("/v1/agents/alice").json().value("state", "") == state)
        return true;
      if (!next_event().is_object())
        return false;
    }
  }
  /// Of all so far, or to come: what actors say of themselves is known before their events are.
  bool wait_for_one_like(const json& with) {
    for (uint64_t at = 0;;) {
      const auto told = get("/v1/events?wait=30&limit=1&after=" + std::to_string(at));
      if (told.status != 200 || told.json().at("events").empty())
        return false;
      const auto event = told.json().at("events").front();
      if (std::ranges::all_of(with.items(), [&](const auto& wanted) {
            return event.value(wanted.key(), "") == wanted.value();
          }))
        return true;
      at = told.json().at("next");
    }
  }
  json next_event() {
    const auto told = get("/v1/events?wait=30&limit=1&after=" + std::to_string(seen_));
    if (told.status != 200)
      return nullptr;
    auto said = told.json();
    seen_ = said.at("next");
    return said;
  }

  scratch_folder folder_;
  std::unique_ptr<process> program_;
  std::unique_ptr<process> phone_;
  uint16_t sip_ = 0;
  uint16_t port_ = 0;
  std::string token_;
  uint64_t seen_ = 0;
};

void expect_problem(const http_answer& said, int status, const std::string& field = {}) {
  EXPECT_EQ(said.status, status) << said.body;
  EXPECT_EQ(said.headers.count("content-type") ? said.headers.at("content-type") : "",
            "application/problem+json");
  const auto body = said.json();
  ASSERT_TRUE(body.is_object()) << said.body;
  EXPECT_EQ(body.at("status"), status);
  EXPECT_EQ(body.value("field", ""), field) << said.body;
}

TEST_F(serve_api, a_day_of_an_agent) {
  ASSERT_NO_FATAL_FAILURE(start_phone());
  const auto alice = get("/v1/agents/alice").json();
  EXPECT_EQ(alice.at("state"), "ready");
  EXPECT_EQ(alice.at("queues"), json({"support", "sales"}));
  EXPECT_EQ(alice.at("until_us"), nullptr);
  EXPECT_TRUE(alice.at("registered"));

  // A pause, in which a call waits.
  const auto paused = put_state("alice", R"({"state":"paused","reason":"lunch \"<b>"})").json();
  EXPECT_EQ(paused.at("state"), "paused");
  EXPECT_EQ(paused.at("pause_reason"), "lunch \"<b>");
  EXPECT_EQ(paused.at("pending"), nullptr);
  auto load = start_caller();
  ASSERT_TRUE(wait_for_event("call.entered"));
  const auto queue = get("/v1/queues/support").json();
  EXPECT_EQ(queue.at("offered"), 1);
  EXPECT_EQ(queue.at("waiting"), 1);
  EXPECT_EQ(queue.at("logged_in"), 1);
  EXPECT_EQ(queue.at("available"), 0);
  ASSERT_EQ(queue.at("calls").size(), 1u);
  EXPECT_EQ(queue.at("calls")[0].at("position"), 1);
  EXPECT_EQ(queue.at("next"), nullptr);
  auto calls = get("/v1/calls").json().at("calls");
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].at("state"), "waiting");
  EXPECT_EQ(calls[0].at("id"), queue.at("calls")[0].at("id"));
  EXPECT_EQ(calls[0].at("call_id"), queue.at("calls")[0].at("call_id"));
  const std::string id = calls[0].at("id");

  // Back, she takes it.
  EXPECT_EQ(put_state("alice", R"({"state":"ready"})").status, 200);
  ASSERT_TRUE(wait_for_event("call.connected"));
  ASSERT_TRUE(wait_for_alice("in_call"));
  calls = get("/v1/calls").json().at("calls");
  ASSERT_EQ(calls.size(), 1u);
  EXPECT_EQ(calls[0].at("state"), "talking");
  EXPECT_EQ(calls[0].at("agent"), "alice");
  EXPECT_EQ(calls[0].at("id"), id);
  EXPECT_EQ(get("/v1/queues/support").json().at("calls"), json::array());
  EXPECT_THAT(ask(port_, {"GET", "/metrics"}).body,
              HasSubstr("jackfield_calls{state=\"talking\"} 1\n"));

  // A pause waits for the call's end.
  const auto pending = put_state("alice", R"({"state":"paused","reason":"tea"})").json();
  EXPECT_EQ(pending.at("state"), "in_call");
  EXPECT_EQ(pending.at("pending"), "paused");
  expect_problem(ask(port_, {"POST", "/v1/agents/alice/end_wrap_up", {bearer()}}), 409, "name");

  const http_question hang_up{"DELETE", "/v1/calls/" + id, {bearer(), "Idempotency-Key: one"}};
  const auto hung_up = ask(port_, hang_up);
  EXPECT_EQ(hung_up.status, 202) << hung_up.body;
  ASSERT_TRUE(wait_for_event("call.completed"));
  const auto again = ask(port_, hang_up);
  EXPECT_EQ(again.status, 202) << "the same key, the same answer";
  EXPECT_EQ(again.body, hung_up.body);
  expect_problem(ask(port_, {"DELETE", "/v1/calls/" + id, {bearer(), "Idempotency-Key: two"}}), 404,
                 "id");
  expect_problem(ask(port_, {"DELETE", "/v1/calls/7", {bearer(), "Idempotency-Key: one"}}), 409,
                 "Idempotency-Key");
  const auto outcome = load.finish();
  EXPECT_EQ(outcome.summary.at("calls").at("answered"), 1) << outcome.summary.dump();

  // What is left of it.
  ASSERT_TRUE(wait_for_alice("wrap_up"));
  const auto wrapping_up = get("/v1/agents/alice").json();
  // Two clocks: the one of deadlines, and the wall's.
  EXPECT_NEAR(wrapping_up.at("until_us").get<double>(),
              wrapping_up.at("since_us").get<double>() + 600e6, 5e6);
  EXPECT_EQ(wrapping_up.at("pending"), "paused") << "it waits for that, too";
  const http_question done{
    "POST", "/v1/agents/alice/end_wrap_up", {bearer(), "Idempotency-Key: three"}};
  const auto ended = ask(port_, done);
  EXPECT_EQ(ended.json().at("state"), "paused") << ended.body;
  EXPECT_EQ(ask(port_, done).body, ended.body);
  ASSERT_TRUE(wait_for_one_like({{"event", "call.completed"}}));
  ASSERT_TRUE(wait_for_one_like({{"event", "agent.state"}, {"before", "wrap_up"}}));
  const auto after = get("/v1/agents/alice").json();
  EXPECT_EQ(after.at("pause_reason"), "tea");
  EXPECT_EQ(after.at("calls_answered"), 1);
  EXPECT_GT(after.at("talk_time_ms"), 0);
  const auto figures = get("/v1/queues/support").json();
  EXPECT_EQ(figures.at("answered"), 1);
  EXPECT_EQ(figures.at("waiting"), 0);
  EXPECT_EQ(figures.at("service_levels")[2].at("value"), 1.0);
  EXPECT_EQ(get("/v1/calls").json().at("calls"), json::array());
  const auto metrics = ask(port_, {"GET", "/metrics"}).body;
  for (const auto* const line :
       {"jackfield_queue_answered_total{queue=\"support\"} 1\n",
        "jackfield_queue_offered_total{queue=\"sales\"} 0\n",
        "jackfield_agents{state=\"paused\"} 1\n", "jackfield_agents{state=\"logged_out\"} 1\n",
        "jackfield_calls{state=\"talking\"} 0\n", "jackfield_draining 0\n"})
    EXPECT_THAT(metrics, HasSubstr(line));

  // Events are those of --events, in order, a page at a time.
  std::vector<json> told;
  for (uint64_t at = 0;;) {
    const auto part = get("/v1/events?limit=3&after=" + std::to_string(at)).json();
    for (const auto& each : part.at("events"))
      told.push_back(each);
    if (part.at("events").empty())
      break;
    at = part.at("next");
  }
  program_->signal(SIGTERM);
  EXPECT_EQ(program_->wait(), 0);
  std::ifstream in{folder_.file("events.jsonl")};
  std::vector<json> written;
  for (std::string line; std::getline(in, line);)
    written.push_back(json::parse(line));
  ASSERT_GE(written.size(), told.size());
  written.resize(told.size());
  EXPECT_EQ(written, told);
  std::vector<std::string> of_call;
  for (const auto& each : told)
    if (each.value("call", "") == id)
      of_call.push_back(each.at("event"));
  EXPECT_THAT(of_call, testing::ElementsAre("call.entered", "call.offered", "call.connected",
                                            "call.completed"));
}

TEST_F(serve_api, while_it_drains_it_is_not_healthy_and_calls_can_be_hung_up) {
  ASSERT_NO_FATAL_FAILURE(start_phone());
  EXPECT_EQ(ask(port_, {"GET", "/healthz"}).status, 200);
  auto load = start_caller();
  ASSERT_TRUE(wait_for_event("call.connected"));
  http_connection waits{port_};
  waits.send("GET /v1/events?wait=30&after=" +
             std::to_string(get("/v1/events").json().at("newest").get<uint64_t>()) +
             " HTTP/1.1\r\nHost: x\r\n" + bearer() + "\r\n\r\n");
  program_->signal(SIGTERM);
  http_answer health;
  do
    health = ask(port_, {"GET", "/healthz"});
  while (health.status == 200); // until the signal has been seen
  expect_problem(health, 503);
  const std::string id = get("/v1/calls").json().at("calls")[0].at("id");
  EXPECT_EQ(ask(port_, {"DELETE", "/v1/calls/" + id, {bearer()}}).status, 202);
  EXPECT_EQ(program_->wait(), 0) << "also with a client that waits";
  (void)load.finish();
}

TEST_F(serve_api, sec_34_the_token_is_its_owners_and_is_never_told) {
  struct stat about {};
  ASSERT_EQ(::stat(folder_.file("api-token").c_str(), &about), 0);
  EXPECT_EQ(about.st_mode & 0777u, 0600u);
  EXPECT_EQ(token_.size(), 64u);
  auto other = token_;
  other.back() = other.back() == '0' ? '1' : '0';
  for (const std::string target :
       {"/v1", "/v1/", "/v1/queues", "/v1/queues/nobody", "/v1/agents", "/v1/agents/alice/state",
        "/v1/calls", "/v1/trunks", "/v1/cdrs", "/v1/events", "/v1/recordings", "/v1/recordings/x",
        "/v1/openapi.json", "/v1/reload", "/v1/nothing", "/%761/queues"})
    for (const std::string method : {"GET", "PUT", "POST", "DELETE", "PATCH"})
      for (const std::string& header :
           {std::string{"X-None: 1"}, std::string{"Authorization: Bearer"},
            "Authorization: Bearer " + other, "Authorization: Bearer " + token_ + "0",
            "Authorization: Basic " + token_, "Authorization: " + token_}) {
        const auto said = ask(port_, {method, target, {header}});
        expect_problem(said, 401, "Authorization");
        EXPECT_EQ(said.headers.count("www-authenticate"), 1u) << method << " " << target;
      }
  EXPECT_EQ(get("/v1/queues").status, 200);
  program_->signal(SIGTERM);
  EXPECT_EQ(program_->wait(), 0);
  EXPECT_EQ((program_->standard_error() + program_->standard_output()).find(token_),
            std::string::npos);
}

/// Messages of a WebSocket's server, which are short enough for a length of 7 or 16 bits.
std::vector<json> messages_in(std::string_view frames) {
  std::vector<json> out;
  const auto byte = [&](size_t at) { return static_cast<unsigned char>(frames[at]); };
  while (frames.size() >= 4) {
    const bool long_one = byte(1) == 126;
    const size_t head = long_one ? 4 : 2;
    const size_t size = long_one ? byte(2) * 256u + byte(3) : byte(1);
    if (byte(0) == 0x81u && size <= frames.size() - head)
      out.push_back(json::parse(frames.substr(head, size), nullptr, false));
    frames.remove_prefix(std::min(head + size, frames.size()));
  }
  return out;
}

TEST_F(serve_api, sec_33_events_come_over_a_web_socket_to_who_has_the_token) {
  const auto open = [&](const std::string& target, const std::string& more) {
    auto c = std::make_unique<http_connection>(port_);
    c->send("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\n" +
            "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" +
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" + more + "\r\n");
    return c;
  };
  const std::string page = "Sec-WebSocket-Protocol: jackfield.events.v1, bearer." + token_ + "\r\n";
  const auto over_header = open("/v1/events", bearer() + "\r\n");
  const auto over_subprotocol = open("/v1/events?after=0", page);
  ASSERT_NO_FATAL_FAILURE(start_phone());
  const auto seen = get("/v1/events?limit=1000").json();
  ASSERT_GE(seen.at("events").size(), 1u);
  EXPECT_THAT(open("/v1/events", {})->receive_all(), HasSubstr(" 401 "));
  EXPECT_THAT(
    open("/v1/events", "Sec-WebSocket-Protocol: bearer." + token_ + "0\r\n")->receive_all(),
    HasSubstr(" 401 "));
  EXPECT_THAT(
    open("/v1/events", "Sec-WebSocket-Protocol: bearer." + token_ + "\r\n")->receive_all(),
    HasSubstr("expected jackfield.events.v1 among them"));
  EXPECT_THAT(open("/v1/events?after=1000", page)->receive_all(), HasSubstr(" 410 "));
  EXPECT_THAT(open("/v1/events?wait=3", page)->receive_all(), HasSubstr(" 400 "));
  program_->signal(SIGTERM);
  EXPECT_EQ(program_->wait(), 0);
  for (const auto* each : {&over_header, &over_subprotocol}) {
    const auto said = (*each)->receive_all();
    const auto head = said.find("\r\n\r\n");
    ASSERT_NE(head, std::string::npos) << said;
    EXPECT_THAT(said, HasSubstr("HTTP/1.1 101 "));
    EXPECT_EQ(said.find("bearer."), std::string::npos) << "the token is not told";
    std::vector<json> events;
    for (const auto& message : messages_in(std::string_view{said}.substr(head + 4)))
      for (const auto& event : message.at("events"))
        events.push_back(event);
    ASSERT_GE(events.size(), seen.at("events").size());
    for (size_t i = 0; i < seen.at("events").size(); ++i)
      EXPECT_EQ(events[i], seen.at("events")[i]);
  }
}

TEST_F(serve_api, what_is_wrong_in_a_request_is_named) {
  expect_problem(put_state("alice", "{"), 400);
  expect_problem(put_state("alice", "[]"), 400);
  expect_problem(put_state("alice", "{}"), 400, "state");
  expect_problem(put_state("alice", R"({"state":"asleep"})"), 400, "state");
  expect_problem(put_state("alice", R"({"state":1})"), 400, "state");
  expect_problem(put_state("alice", R"({"state":"ready","colour":"red"})"), 400, "colour");
  expect_problem(put_state("alice", R"({"state":"ready","reason":"x"})"), 400, "reason");
  expect_problem(put_state("alice", R"({"state":"paused","reason":"a\r\nX-Injected: 1"})"), 400,
                 "reason");
  expect_problem(put_state("alice", R"({"state":"paused","reason":"a\u0000b"})"), 400, "reason");
  expect_problem(put_state("alice", "{\"state\":\"paused\",\"reason\":\"a\nb\"}"), 400);
  expect_problem(put_state("nobody", R"({"state":"ready"})"), 404, "name");
  expect_problem(put_state("alice", R"({"state":"ready"})"), 409, "state"); // she has no phone
  expect_problem(put_state("alice", R"({"state":"paused"})"), 409, "state");
  EXPECT_EQ(put_state("alice", R"({"state":"logged_out"})").status, 200);
  expect_problem(put_state("alice", std::string(65'537, ' ')), 413);
  expect_problem(put_state("alice", std::string(65'536, '[')), 400);
  expect_problem(ask(port_, {"PUT", "/v1/agents/alice/state", {bearer()}, "{}"}), 415,
                 "Content-Type");
  expect_problem(get("/v1/agents/nobody"), 404, "name");
  expect_problem(get("/v1/queues/..%2f..%2fapi-token"), 404, "name");
  expect_problem(get("/v1/../api-token"), 404);
  expect_problem(get("/v1/queues/a%0d%0ab"), 400);
  for (const std::string list : {"queues", "agents", "calls", "cdrs", "events", "queues/support"}) {
    expect_problem(get("/v1/" + list + "?limit=0"), 400, "limit");
    expect_problem(get("/v1/" + list + "?limit=1001"), 400, "limit");
    expect_problem(get("/v1/" + list + "?page=2"), 400, "page");
    EXPECT_GE(get("/v1/" + list + "?after=-1").status, 400);
  }
  expect_problem(get("/v1/events?wait=31"), 400, "wait");
  expect_problem(get("/v1/events?after=1000"), 410, "after");
  expect_problem(ask(port_, {"DELETE", "/v1/calls/x", {bearer()}}), 404, "id");
  expect_problem(ask(port_, {"DELETE", "/v1/calls/1", {bearer(), "Idempotency-Key: "}}), 400,
                 "Idempotency-Key");
  expect_problem(ask(port_, {"DELETE", "/v1/calls/1", {bearer()}, "x"}), 400);
}

TEST_F(serve_api, lists_come_a_page_at_a_time) {
  const auto first = get("/v1/agents?limit=1").json();
  ASSERT_EQ(first.at("agents").size(), 1u);
  EXPECT_EQ(first.at("agents")[0].at("name"), "alice");
  EXPECT_EQ(first.at("next"), "alice");
  const auto second = get("/v1/agents?limit=1&after=alice").json();
  ASSERT_EQ(second.at("agents").size(), 1u);
  EXPECT_EQ(second.at("agents")[0].at("name"), "bob");
  EXPECT_EQ(second.at("next"), nullptr);
  EXPECT_EQ(get("/v1/agents?after=bob").json().at("agents"), json::array());
  expect_problem(get("/v1/agents?after=nobody"), 400, "after");
  EXPECT_EQ(get("/v1/queues?limit=1").json().at("next"), "support");
  EXPECT_EQ(get("/v1/queues?after=support").json().at("queues").size(), 1u);
}

TEST_F(serve_api, finished_calls_come_a_page_at_a_time) {
  EXPECT_EQ(get("/v1/cdrs").json().at("cdrs"), json::array());
  ASSERT_NO_FATAL_FAILURE(start_phone());
  auto load = start_caller();
  ASSERT_TRUE(wait_for_event("call.connected"));
  const std::string id = get("/v1/calls").json().at("calls")[0].at("id");
  EXPECT_EQ(ask(port_, {"DELETE", "/v1/calls/" + id, {bearer()}}).status, 202);
  (void)load.finish();
  json all;
  do
    all = get("/v1/cdrs").json();
  while (all.at("cdrs").size() < 2); // a record is in the store some milliseconds after its call
  EXPECT_EQ(all.at("next"), nullptr);
  const auto first = get("/v1/cdrs?limit=1").json();
  ASSERT_EQ(first.at("cdrs").size(), 1u);
  EXPECT_EQ(first.at("cdrs")[0], all.at("cdrs")[0]);
  const std::string next = first.at("next");
  EXPECT_EQ(get("/v1/cdrs?after=" + next).json().at("cdrs"), json::array({all.at("cdrs")[1]}));
  for (const auto& cdr : all.at("cdrs")) {
    EXPECT_EQ(cdr.at("status"), 200);
    const bool caller = cdr.at("direction") == "incoming";
    EXPECT_EQ(cdr.at("queue"), caller ? json("support") : json(nullptr));
    EXPECT_EQ(cdr.at("agent"), caller ? json("alice") : json(nullptr));
    EXPECT_EQ(cdr.at("left"), caller ? json("answered") : json(nullptr));
  }
}

TEST_F(serve_api, trunks_tell_how_they_are) {
  ASSERT_TRUE(wait_for_one_like({{"event", "trunk.state"}, {"trunk", "out"}}));
  const auto told = get("/v1/trunks").json();
  ASSERT_EQ(told.at("trunks").size(), 2U) << told;
  const auto& out = told.at("trunks")[0];
  EXPECT_EQ(out.at("name"), "out");
  EXPECT_EQ(out.at("in_service"), false) << "nobody is there";
  EXPECT_TRUE(out.at("most_calls").is_null());
  const auto& in = told.at("trunks")[1];
  EXPECT_EQ(in.at("in_service"), true) << "nobody has asked";
  EXPECT_EQ(in.at("most_calls"), 3);
  EXPECT_EQ(in.at("calls"), 0);
  const auto metrics = ask(port_, {"GET", "/metrics", {}}).body;
  EXPECT_THAT(metrics, HasSubstr("jackfield_trunk_in_service{trunk=\"out\"} 0\n"));
  EXPECT_THAT(metrics, HasSubstr("jackfield_trunk_in_service{trunk=\"in\"} 1\n"));
}

// What SIGHUP does, too, but whoever asks is told.
TEST_F(serve_api, a_reload_says_what_it_took_up_or_where_the_file_is_wrong) {
  const auto reload = [&](const std::string& key) {
    return ask(port_, {"POST", "/v1/reload", {bearer(), "Idempotency-Key: " + key}});
  };
  const auto nothing = reload("same").json();
  const json same{{"count", 2}, {"added", json::array()}, {"removed", json::array()}};
  EXPECT_EQ(nothing.at("agents"), same);
  EXPECT_EQ(nothing.at("queues"), same);
  EXPECT_EQ(nothing.at("menus").at("count"), 0);

  const auto file = folder_.file("centre.toml");
  std::ifstream in{file};
  const std::string before{std::istreambuf_iterator<char>{in}, {}};
  (void)folder_.write("centre.toml", before + "[[agent]]\nwrap_up = \"soon\"\n");
  const auto wrong = reload("wrong");
  expect_problem(wrong, 422);
  EXPECT_THAT(wrong.json().at("detail").get<std::string>(), HasSubstr("nothing is changed"));
  const auto line = std::ranges::count(before, '\n') + 1;
  ASSERT_EQ(wrong.json().at("errors").size(), 1U) << wrong.body;
  EXPECT_EQ(wrong.json().at("errors")[0].at("place"), file + ":" + std::to_string(line) + ": name");
  EXPECT_EQ(reload("wrong").body, wrong.body) << "the same key, the same answer";
  EXPECT_EQ(get("/v1/agents").json().at("agents").size(), 2U);

  auto changed = before;
  changed.replace(changed.find("\"sales\""), 7, "\"orders\"");
  (void)folder_.write("centre.toml",
                      changed + "[[agent]]\nname = \"carol\"\npassword = \"pw-carol\"\n");
  const auto said = reload("right").json();
  EXPECT_EQ(said.at("agents"),
            (json{{"count", 3}, {"added", json::array({"carol"})}, {"removed", json::array()}}));
  EXPECT_EQ(
    said.at("queues"),
    (json{{"count", 2}, {"added", json::array({"orders"})}, {"removed", json::array({"sales"})}}));
  EXPECT_EQ(get("/v1/queues/orders").status, 200) << "it is in force once it is answered";
  expect_problem(get("/v1/queues/sales"), 404, "name");
  expect_problem(ask(port_, {"POST", "/v1/reload", {bearer()}, "{}"}), 400);
}

// Who opens connections and says nothing, or a byte now and then, keeps nobody from his call.
TEST_F(serve_api, silent_clients_keep_nobody_from_the_calls) {
  std::vector<std::unique_ptr<http_connection>> silent;
  for (int i = 0; i < 256; ++i) {
    silent.push_back(std::make_unique<http_connection>(port_));
    silent.back()->send(i % 2 == 0 ? "" : "GET /v1/queues HTTP/1.1\r\nAuth");
  }
  expect_problem(ask(port_, {"GET", "/healthz"}), 503);
  phone_ = std::make_unique<process>(
    "phone", folder_,
    arguments{JACKFIELD_PROGRAM, "answer", "--users",
              folder_.write("agents.csv", "user,password\nalice,pw-alice\n"), "--register",
              "sip:" + loopback(sip_), "--media", "rtp", "--duration", "1s"});
  EXPECT_TRUE(phone_->wait_for("registered "));
  const auto load =
    run_load(folder_, {sip_uri("100", sip_), "-m", "1", "-r", "1", "--duration", "300s",
                       "--callee-hangs-up", "expected", "--codecs", "PCMU"});
  expect_all_completed(load, 1);
  for (const auto& each : silent)
    EXPECT_EQ(each->receive_all(), "") << "let go without a word";
  EXPECT_EQ(ask(port_, {"GET", "/healthz"}).status, 200) << "there is room again";
}

// -- the description ---------------------------------------------------------------

/// Holds a value to a schema, as far as ours go.
class schema_check {
public:
  explicit schema_check(const json& description) : description_(description) {}

  void expect(const json& value, const json& schema, const std::string& where) const {
    if (schema.contains("$ref")) {
      expect(value, resolved(schema), where);
      return;
    }
    if (schema.contains("const")) {
      EXPECT_EQ(value, schema.at("const")) << where;
    }
    if (schema.contains("enum")) {
      const auto& all = schema.at("enum");
      EXPECT_NE(std::find(all.begin(), all.end(), value), all.end()) << where << ": " << value;
    }
    if (schema.contains("type")) {
      EXPECT_TRUE(is_of(value, schema.at("type"))) << where << ": " << value;
    }
    if (value.is_object())
      expect_object(value, schema, where);
    if (value.is_array() && schema.contains("items"))
      for (const auto& each : value)
        expect(each, schema.at("items"), where + "[]");
  }

  [[nodiscard]] const json& resolved(const json& what) const {
    return what.contains("$ref")
             ? description_.at(json::json_pointer{what.at("$ref").get<std::string>().substr(1)})
             : what;
  }

private:
  void expect_object(const json& value, const json& schema, const std::string& where) const {
    for (const auto& name : schema.value("required", json::array()))
      EXPECT_TRUE(value.contains(name.get<std::string>())) << where << "." << name;
    const auto known = schema.value("properties", json::object());
    for (const auto& [name, each] : value.items())
      if (known.contains(name))
        expect(each, known.at(name), where + "." + name);
      else
        EXPECT_TRUE(schema.value("additionalProperties", true)) << where << "." << name;
  }
  static bool is_of(const json& value, const json& type) {
    if (type.is_array())
      return std::any_of(type.begin(), type.end(),
                         [&](const json& each) { return is_of(value, each); });
    const auto name = type.get<std::string>();
    return (name == "object" && value.is_object()) || (name == "array" && value.is_array()) ||
           (name == "string" && value.is_string()) || (name == "boolean" && value.is_boolean()) ||
           (name == "integer" && value.is_number_integer()) ||
           (name == "number" && value.is_number()) || (name == "null" && value.is_null());
  }

  const json& description_;
};

TEST_F(serve_api, answers_as_it_is_described_and_nothing_else) {
  ASSERT_NO_FATAL_FAILURE(start_phone());
  auto load = start_caller();
  ASSERT_TRUE(wait_for_event("call.connected"));
  const auto description = get("/v1/openapi.json").json();
  ASSERT_EQ(description.at("openapi"), "3.1.0");
  const schema_check check{description};
  const std::string call = get("/v1/calls").json().at("calls")[0].at("id");
  folder_.write("a-recording.opus", "OggS");
  const auto filled_in = [&](std::string path) {
    for (const auto& [brace, value] :
         {std::pair<std::string, std::string>{"{id}", call},
          {"{recording}", "a-recording"},
          {"{name}", path.starts_with("/v1/agents") ? "alice" : "support"}})
      if (const auto at = path.find(brace); at != std::string::npos)
        path.replace(at, brace.size(), value);
    return path;
  };
  const std::vector<std::string> methods{"get",   "put",  "post",   "delete",
                                         "patch", "head", "options"};
  // The call is hung up last.
  for (const bool deletes : {false, true})
    for (const auto& [path, item] : description.at("paths").items()) {
      std::set<std::string> allowed;
      for (const auto& method : methods)
        if (item.contains(method))
          allowed.insert(method);
      for (const auto& method : methods) {
        std::string upper{method};
        std::ranges::transform(upper, upper.begin(),
                               [](unsigned char c) { return std::toupper(c); });
        const auto where = upper + " " + path;
        if (!item.contains(method)) {
          const auto said = ask(port_, {upper, filled_in(path), {bearer()}});
          EXPECT_EQ(said.status, 405) << where;
          std::string allow;
          for (const auto& each : allowed)
            allow += (allow.empty() ? "" : ", ") + each;
          std::ranges::transform(allow, allow.begin(),
                                 [](unsigned char c) { return std::toupper(c); });
          EXPECT_EQ(said.headers.count("allow") ? said.headers.at("allow") : "", allow) << where;
          continue;
        }
        if ((method == "delete") != deletes)
          continue;
        const auto& operation = item.at(method);
        const bool open = operation.contains("security") && operation.at("security").empty();
        const auto without = ask(port_, {upper, filled_in(path)});
        EXPECT_EQ(without.status == 401, !open) << where;
        EXPECT_EQ(operation.at("responses").contains("401"), !open) << where;
        http_question question{upper, filled_in(path), {bearer()}};
        if (operation.contains("requestBody")) {
          question.headers.push_back(json_type);
          question.body = path.ends_with("monitor") ? R"({"supervisor":"bob","mode":"monitor"})"
                                                    : R"({"state":"ready"})";
        }
        const auto said = ask(port_, question);
        const auto code = std::to_string(said.status);
        ASSERT_TRUE(operation.at("responses").contains(code)) << where << ": " << said.body;
        const bool may_not = path.ends_with("end_wrap_up") || path.ends_with("monitor");
        EXPECT_TRUE(said.status < 300 || (may_not && (said.status == 409 || said.status == 404)))
          << where << ": " << said.body;
        const auto& response = check.resolved(operation.at("responses").at(code));
        ASSERT_EQ(response.at("content").size(), 1u) << where;
        const std::string type = response.at("content").begin().key();
        const auto& content = response.at("content").begin().value();
        EXPECT_TRUE(said.headers.at("content-type").starts_with(type)) << where;
        if (type.ends_with("json"))
          check.expect(said.json(), content.at("schema"), where);
      }
    }
  for (const std::string path :
       {"/", "/v1", "/v1/", "/v1/queues/", "/v1/queues/support/calls", "/v1/agents/alice/states",
        "/v2/queues", "/healthz/", "/v1//queues", "/favicon.ico", "/V1/queues"})
    expect_problem(get(path), 404);
  (void)load.finish();
}

TEST(serve_api_config, sec_34_the_api_is_for_this_machine_alone) {
  const scratch_folder folder;
  const auto check = [&](const std::string& api) {
    process program{
      "check", folder,
      arguments{
        JACKFIELD_PROGRAM, "serve", "--check", "-c",
        folder.write("centre.toml", "[server]\nlisten = [\"udp:127.0.0.1:0\"]\n[api]\n" + api)}};
    EXPECT_EQ(program.wait(), 2) << api;
    return program.standard_error();
  };
  EXPECT_THAT(check("listen = \"0.0.0.0:8080\"\n"),
              HasSubstr("centre.toml:4: listen: \"0.0.0.0:8080\" is not this machine's alone"));
  EXPECT_THAT(check("listen = \"192.0.2.1:8080\"\n"), HasSubstr("is not this machine's alone"));
  EXPECT_THAT(check("listen = \"[::]:8080\"\n"), HasSubstr("is not this machine's alone"));
  EXPECT_THAT(check("listen = \"localhost\"\n"), HasSubstr("is no address and port"));
  EXPECT_THAT(check("token_file = \"x\"\n"), HasSubstr("listen: is missing"));
  EXPECT_THAT(check("listen = \"127.0.0.1:0\"\nport = 1\n"),
              HasSubstr("port: is unknown in [api]"));
  const auto token = folder.write("t", "0123456789abcdef0123456789abcdef\n");
  ::chmod(token.c_str(), 0644);
  process open{
    "open", folder,
    arguments{JACKFIELD_PROGRAM, "serve", "-c",
              folder.write("open.toml", "[server]\nlisten = [\"udp:127.0.0.1:0\"]\n[api]\n"
                                        "listen = \"127.0.0.1:0\"\ntoken_file = \"t\"\n")}};
  EXPECT_EQ(open.wait(), 2);
  EXPECT_THAT(open.standard_error(), HasSubstr("is open to others than its owner"));
}

} // namespace
} // namespace jackfield::tests
