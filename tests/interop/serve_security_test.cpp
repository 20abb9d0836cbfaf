#include <algorithm>
#include <csignal>
#include <fstream>
#include <memory>
#include <regex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include "tests/interop/http_client.hpp"
#include "tests/interop/peers.hpp"
#include "tests/interop/raw_caller.hpp"
#include "tests/interop/sip_tap.hpp"

namespace jackfield::tests {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::string offer = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
                          "t=0 0\r\nm=audio 9 RTP/AVP 0\r\n";

/// `jackfield serve` with its API, the queue "support" and the agent alice, who is not there.
class serve_security : public testing::Test {
protected:
  void start(const std::string& more = {}) {
    const std::string config = "[server]\nlisten = [\"udp:127.0.0.1:0\"]\nlanes = 2\n" + more +
                               "[api]\nlisten = \"127.0.0.1:0\"\n"
                               "[[agent]]\nname = \"alice\"\npassword = \"" +
                               password +
                               "\"\n"
                               "[[queue]]\nname = \"support\"\nnumbers = [\"100\"]\n"
                               "members = \"all\"\nmusic = \"silence\"\n";
    program_ = std::make_unique<process>(
      "serve", folder_,
      arguments{JACKFIELD_PROGRAM, "serve", "-c", folder_.write("centre.toml", config), "--events",
                folder_.file("events.jsonl"), "--queue-log", folder_.file("queue_log")});
    sip_ = port_in(program_->wait_for_rest_of_line("listening on UDP "));
    const auto api = program_->wait_for_rest_of_line("API on ");
    api_ = port_in(api.substr(0, api.find(',')));
    std::getline(std::ifstream{folder_.file("api-token")}, token_);
    ASSERT_TRUE(program_->wait_for("serving "));
  }
  http_answer get(const std::string& target) const {
    return ask(api_, {"GET", target, {"Authorization: Bearer " + token_}});
  }
  void finish() {
    program_->signal(SIGTERM);
    EXPECT_EQ(program_->wait(), 0);
  }

  static inline const std::string password = "canary-of-alice";
  scratch_folder folder_;
  std::unique_ptr<process> program_;
  uint16_t sip_ = 0;
  uint16_t api_ = 0;
  std::string token_;
};

TEST_F(serve_security, sec_31_what_callers_say_of_themselves_breaks_no_record) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::vector<std::string> callers{
    "\"\\\"><img src=x onerror=alert(1)>\" <sip:%22%3E%3Cimg%20src=x@a.test>",
    "\"%n%s%d\" <sip:%n%s%25n@a.test>",
    "\"a|b|CONNECT|1\" <sip:a|b|c@a.test>",
    "\"x\" <sip:a%0d%0aInjected:%201@a.test>",
    "\"\xe2\x80\xae"
    "moc\" <sip:%E2%80%AE\xe2\x80\xae"
    "moc@a.test>",
    "\"\xff\xfe\" <sip:\xff\xfe@a.test>",
    "\"';DROP TABLE calls;--\" <sip:';drop@a.test>",
    "<sip:" + std::string(3'000, 'a') + "@a.test>",
  };
  size_t entered = 0;
  for (const auto& from : callers) {
    raw_caller caller{sip_};
    caller.set_callee("100");
    caller.set_from(from);
    const auto answer = caller.invite(offer);
    if (!answer.starts_with("SIP/2.0 200"))
      continue; // what is no URI may be refused
    ++entered;
    EXPECT_EQ(answer.find("\r\nInjected"), std::string::npos) << answer;
    caller.acknowledge(answer);
    const auto calls = get("/v1/events?wait=30&after=" + std::to_string(2 * (entered - 1)));
    EXPECT_EQ(calls.status, 200);
    EXPECT_TRUE(calls.json().is_object()) << calls.body;
    EXPECT_TRUE(get("/v1/calls").json().is_object());
    EXPECT_TRUE(get("/v1/queues/support").json().is_object());
    EXPECT_THAT(get("/metrics").body, Not(HasSubstr("Injected")));
    EXPECT_TRUE(caller.hang_up().starts_with("SIP/2.0 200"));
  }
  EXPECT_GE(entered, 5u) << "hardly a caller was let in";
  finish();
  const auto events = lines_of(folder_.file("events.jsonl"));
  EXPECT_EQ(events.size(), 2 * entered);
  for (const auto& line : events) {
    const auto event = nlohmann::json::parse(line, nullptr, false);
    ASSERT_TRUE(event.is_object()) << line;
    EXPECT_TRUE(event.at("event") == "call.entered" || event.at("event") == "call.abandoned");
  }
  const auto log = lines_of(folder_.file("queue_log"));
  EXPECT_EQ(log.size(), 2 * entered);
  for (const auto& line : log) {
    static const std::regex entered_or_abandoned{
      R"(\d+\|[^|]+\|support\|NONE\|(ENTERQUEUE\|\|[^|]+|ABANDON\|1\|1\|\d+))"};
    EXPECT_TRUE(std::regex_match(line, entered_or_abandoned)) << line;
  }
}

TEST_F(serve_security, sec_37_secrets_are_told_nowhere) {
  ASSERT_NO_FATAL_FAILURE(start());
  process phone{"phone", folder_,
                arguments{JACKFIELD_PROGRAM, "answer", "--users",
                          folder_.write("agents.csv", "user,password\nalice," + password + "\n"),
                          "--register", "sip:" + loopback(sip_), "--media", "srtp"}};
  ASSERT_TRUE(phone.wait_for("registered 1 of 1"));
  const auto load = run_load(folder_, {sip_uri("100", sip_), "-m", "3", "-r", "5", "--duration",
                                       "200ms", "--media", "srtp", "--codecs", "PCMU"});
  expect_all_completed(load, 3);
  std::string told;
  for (const auto* target :
       {"/healthz", "/metrics", "/v1/openapi.json", "/v1/queues", "/v1/queues/support",
        "/v1/agents", "/v1/agents/alice", "/v1/calls", "/v1/events?limit=1000"})
    told += get(target).body;
  EXPECT_THAT(told, HasSubstr("call.completed")) << "there was something to tell";
  finish();
  for (const auto* file : {"events.jsonl", "queue_log"})
    for (const auto& line : lines_of(folder_.file(file)))
      told += line + "\n";
  told += program_->standard_error() + program_->standard_output();
  phone.signal(SIGINT);
  (void)phone.wait();
  told += phone.standard_error() + phone.standard_output();
  for (const auto& secret : {password, token_, std::string{"inline:"}, std::string{"ice-pwd"},
                             std::string{"nonce="}, std::string{"response="}})
    EXPECT_EQ(told.find(secret), std::string::npos) << secret << " is told";
}

TEST_F(serve_security, sec_37_a_fault_in_a_configuration_tells_no_password) {
  process program{"check", folder_,
                  arguments{JACKFIELD_PROGRAM, "serve", "--check", "-c",
                            folder_.write("bad.toml", "[server]\nlisten = [\"udp:127.0.0.1:0\"]\n"
                                                      "[[agent]]\nname = \"alice\"\npassword = \"" +
                                                        password +
                                                        "\n[[agent]]\nname = \"bob\"\n"
                                                        "passwort = \"" +
                                                        password + "\"\n")}};
  EXPECT_EQ(program.wait(), 2);
  EXPECT_THAT(program.standard_error(), HasSubstr("bad.toml:5"));
  EXPECT_THAT(program.standard_error() + program.standard_output(), Not(HasSubstr(password)));
}

/// Sends requests to a port of 127.0.0.1 over UDP, some at a time, and waits for as many answers.
class flood {
public:
  explicit flood(uint16_t server) : server_(server), socket_(open_udp(INADDR_LOOPBACK)) {}

  /// Some of each method, all of somebody else, with credentials that are none, or without any.
  void send_and_hear(size_t count, const std::vector<std::string>& methods) {
    constexpr size_t at_a_time = 32;
    for (size_t sent = 0; sent < count; sent += at_a_time) {
      for (size_t i = 0; i < at_a_time; ++i)
        send(methods[(sent + i) % methods.size()]);
      for (size_t heard = 0; heard < at_a_time;)
        heard += hear_final() ? 1 : 0;
    }
  }

private:
  void send(const std::string& method) {
    const auto id = std::to_string(++sent_);
    const auto self = loopback(port_of(socket_));
    say(method + " sip:nobody" + id + "@" + loopback(server_) + " SIP/2.0\r\nVia: SIP/2.0/UDP " +
        self + ";rport;branch=z9hG4bK-flood-" + id + "\r\nMax-Forwards: 70\r\nFrom: <sip:nobody" +
        id + "@a.test>;tag=f" + id + "\r\nTo: <sip:nobody" + id + "@a.test>\r\nCall-ID: flood-" +
        id + "\r\nCSeq: 1 " + method + "\r\nContact: <sip:nobody@" + self + ">\r\n" +
        (sent_ % 2 == 0 ? "Authorization: Digest username=\"nobody\", realm=\"jackfield\", "
                          "nonce=\"0123\", uri=\"sip:a\", response=\"" +
                            std::string(32, '0') + "\"\r\n"
                        : std::string{}) +
        "Content-Length: 0\r\n\r\n");
  }
  void say(const std::string& message) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(server_);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(sendto(socket_.get(), message.data(), message.size(), 0,
                     reinterpret_cast<const sockaddr*>(&to), sizeof to),
              static_cast<ssize_t>(message.size()));
  }
  /// The next message: is it a final answer?
  bool hear_final() {
    pollfd waiting{socket_.get(), POLLIN, 0};
    poll(&waiting, 1, -1);
    std::string message(65'536, '\0');
    const auto size = recv(socket_.get(), message.data(), message.size(), 0);
    message.resize(size < 0 ? 0 : static_cast<size_t>(size));
    EXPECT_TRUE(message.starts_with("SIP/2.0 ")) << message;
    if (message.starts_with("SIP/2.0 1"))
      return false;
    EXPECT_FALSE(message.starts_with("SIP/2.0 2") &&
                 !header_of(message, "CSeq").ends_with("OPTIONS"))
      << message;
    if (header_of(message, "CSeq").ends_with("INVITE")) {
      std::string ack = "ACK " + std::string{"sip:nobody@"} + loopback(server_) + " SIP/2.0\r\n";
      for (const auto* name : {"Via", "From", "To", "Call-ID"})
        ack += std::string{name} + ": " + std::string{header_of(message, name)} + "\r\n";
      say(ack + "Max-Forwards: 70\r\nCSeq: 1 ACK\r\nContent-Length: 0\r\n\r\n");
    }
    return true;
  }

  uint16_t server_;
  owned_fd socket_;
  uint64_t sent_ = 0;
};

TEST_F(serve_security, sec_26_a_flood_of_strangers_leaves_no_trace) {
  ASSERT_NO_FATAL_FAILURE(start());
  const std::vector<std::string> methods{"REGISTER", "OPTIONS",   "MESSAGE", "SUBSCRIBE",
                                         "NOTIFY",   "REFER",     "PUBLISH", "INFO",
                                         "UPDATE",   "X-UNKNOWN", "PRACK",   "BYE"};
  flood strangers{sip_};
  strangers.send_and_hear(10'000, methods);
  const auto before = program_->resident();
  ASSERT_GT(before, 0u);
  strangers.send_and_hear(40'000, methods);
  EXPECT_LE(program_->resident(), before + 256 * 1024) << "bytes of memory, after 40,000 requests";
  // Of a call that was refused an answer is remembered for as long as its ACK may come, no more.
  constexpr size_t invites = 4'000;
  constexpr size_t bytes_of_one = 1024;
  strangers.send_and_hear(invites, {"INVITE"});
  EXPECT_LE(program_->resident(), before + 256 * 1024 + invites * bytes_of_one);
  process phone{"phone", folder_,
                arguments{JACKFIELD_PROGRAM, "answer", "--users",
                          folder_.write("agents.csv", "user,password\nalice," + password + "\n"),
                          "--register", "sip:" + loopback(sip_), "--media", "rtp"}};
  ASSERT_TRUE(phone.wait_for("registered 1 of 1"));
  expect_all_completed(
    run_load(folder_, {sip_uri("100", sip_), "-m", "3", "-r", "5", "--duration", "200ms"}), 3);
  finish();
}

TEST(serve_pages, sec_33_of_others_open_no_web_socket) {
  const scratch_folder folder;
  process program{
    "serve", folder,
    arguments{JACKFIELD_PROGRAM, "serve", "-c",
              folder.write("centre.toml", "[server]\nlisten = [\"ws:127.0.0.1:0\", "
                                          "\"wss:127.0.0.1:0\"]\nlanes = 1\n"
                                          "allow_origins = [\"https://desk.test\"]\n"
                                          "[[agent]]\nname = \"alice\"\npassword = \"x\"\n")}};
  const auto ws = port_in(program.wait_for_rest_of_line("listening on WS "));
  const auto wss = port_in(program.wait_for_rest_of_line("listening on WSS "));
  ASSERT_TRUE(program.wait_for("serving "));
  const auto answer = [](uint16_t port, const std::string& more) {
    const http_connection page{port};
    page.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
              more + "\r\n");
    return page.receive_some();
  };
  const std::string sip = "Sec-WebSocket-Protocol: sip\r\n";
  const std::string cookie = "Cookie: session=alice\r\n";
  EXPECT_THAT(answer(ws, sip + "Origin: https://desk.test\r\n"), HasSubstr("HTTP/1.1 101 "));
  for (const std::string origin : {"null", "https://evil.test", "http://desk.test",
                                   "https://desk.test.evil.test", "https://desk.test:8443"})
    EXPECT_THAT(answer(ws, sip + cookie + "Origin: " + origin + "\r\n"), HasSubstr("HTTP/1.1 403 "))
      << origin;
  EXPECT_THAT(answer(ws, "Origin: https://desk.test\r\n"), HasSubstr("HTTP/1.1 400 "));
  EXPECT_THAT(answer(wss, sip + "Origin: https://desk.test\r\n"), Not(HasSubstr("101")))
    << "in the clear to a listener of WSS";
  program.signal(SIGTERM);
  EXPECT_EQ(program.wait(), 0);
}

/// A response as it is but for what is of its request, or drawn.
std::string without_own(std::string response) {
  static const std::regex own{R"((nonce="[^"]*")|(tag=[^;\r]*)|(branch=[^;\r]*)|(Call-ID: [^\r]*)|)"
                              R"((rport=\d+)|(127\.0\.0\.1:\d+)|(sip:\w+@))"};
  return std::regex_replace(response, own, "");
}

TEST_F(serve_security, sec_28_who_is_unknown_is_answered_as_who_is_known) {
  ASSERT_NO_FATAL_FAILURE(start());
  raw_caller caller{sip_};
  const auto known = caller.register_user("alice", "sip:alice@127.0.0.1:9");
  EXPECT_TRUE(known.starts_with("SIP/2.0 401")) << known;
  for (const std::string user : {"bob", "100", "support", "alicE"}) {
    const auto unknown = caller.register_user(user, "sip:alice@127.0.0.1:9");
    EXPECT_EQ(without_own(unknown), without_own(known)) << user;
  }
  finish();
}

} // namespace
} // namespace jackfield::tests
