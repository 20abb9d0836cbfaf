#include "app/http/server.hpp"

#include <atomic>
#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

namespace jackfield::http {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::StartsWith;

/// Says what it was asked.
class echo final : public handler {
public:
  std::optional<answer> refuse(const request& head) override {
    return head.target == "/secret" ? std::optional{problem(401, "no")} : std::nullopt;
  }
  void serve(request what, reply answer_with) override {
    ++served;
    answer out;
    out.content_type = "text/plain";
    out.body = what.method + " " + what.target + " " + what.body;
    if (what.target == "/later")
      later.emplace_back([answer_with, out] { answer_with(out); });
    else
      answer_with(std::move(out));
  }
  std::atomic<int> served{0};
  std::vector<std::jthread> later;
};

class client {
public:
  explicit client(const lane::endpoint& to) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_storage at{};
    const auto length = to.to_sockaddr(at);
    if (::connect(fd_, reinterpret_cast<const sockaddr*>(&at), length) != 0)
      ADD_FAILURE() << "cannot connect to " << to.to_string();
  }
  ~client() { ::close(fd_); }
  client(const client&) = delete;
  client& operator=(const client&) = delete;

  client& say(std::string_view text) {
    (void)::send(fd_, text.data(), text.size(), MSG_NOSIGNAL);
    return *this;
  }
  /// Until there is `end`, or the connection's.
  std::string hear_until(std::string_view end) {
    while (end.empty() || heard_.find(end) == std::string::npos) {
      char some[4096];
      const auto got = ::recv(fd_, some, sizeof some, 0);
      if (got <= 0)
        break;
      heard_.append(some, static_cast<size_t>(got));
    }
    return heard_;
  }
  std::string hear_all() { return hear_until({}); }

private:
  int fd_;
  std::string heard_;
};

class http_server : public testing::Test {
protected:
  ~http_server() override { echo_.later.clear(); }

  void start(const server_limits& limits = {}) {
    auto made = server::listen(lane::endpoint::loopback_v4(0), limits, echo_);
    ASSERT_TRUE(made) << made.error().to_string();
    server_ = std::make_unique<server>(std::move(*made));
    server_->run();
  }
  std::string ask(std::string_view text) { return client{server_->address()}.say(text).hear_all(); }

  echo echo_;
  std::unique_ptr<server> server_;
};

TEST_F(http_server, answers_requests_of_a_connection_in_turn) {
  start();
  client c{server_->address()};
  c.say("GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(c.hear_until("GET /a"), StartsWith("HTTP/1.1 200 OK\r\n"));
  c.say("PUT /b HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody");
  EXPECT_THAT(c.hear_until("PUT /b body"), HasSubstr("Content-Length: 11\r\n"));
  c.say("GET /later HTTP/1.1\r\nHost: x\r\n\r\nGET /d HTTP/1.1\r\nHost: x\r\nConnection: "
        "close\r\n\r\n");
  const auto all = c.hear_all();
  EXPECT_LT(all.find("GET /later"), all.find("GET /d")) << all;
  EXPECT_EQ(echo_.served, 4);
}

TEST_F(http_server, takes_chunks_and_promises_to_go_on) {
  start();
  EXPECT_THAT(
    ask("PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n"
        "\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n"),
    HasSubstr("PUT /c abc"));
  client c{server_->address()};
  c.say("PUT /d HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"
        "Connection: close\r\n\r\n");
  EXPECT_THAT(c.hear_until("\r\n\r\n"), StartsWith("HTTP/1.1 100 Continue\r\n\r\n"));
  EXPECT_THAT(c.say("ok").hear_all(), HasSubstr("PUT /d ok"));
}

TEST_F(http_server, tells_a_head_the_length_and_no_more) {
  start();
  const auto said = ask("HEAD /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(said, HasSubstr("Content-Length: 8\r\n"));
  EXPECT_TRUE(said.ends_with("\r\n\r\n")) << said;
}

TEST_F(http_server, sec_34_reads_no_body_of_what_it_refuses) {
  start();
  const auto said = ask("PUT /secret HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_THAT(said, StartsWith("HTTP/1.1 401 Unauthorized\r\n"));
  EXPECT_THAT(said, HasSubstr("Connection: close\r\n"));
  EXPECT_EQ(echo_.served, 0);
}

TEST_F(http_server, sec_34_what_is_no_http_or_too_much_is_told_and_ends) {
  start();
  EXPECT_THAT(ask("\x16\x03\x01 what\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("GET /a HTTP/1.1\r\nHost : x\r\n\r\n"), StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("GET /a HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
  EXPECT_THAT(ask("GET /a HTTP/1.1\r\nX: " + std::string(20'000, 'a') + "\r\n\r\n"),
              StartsWith("HTTP/1.1 431 "));
  EXPECT_THAT(ask("PUT /a HTTP/1.1\r\nContent-Length: 65537\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(ask("PUT /a HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n"),
              StartsWith("HTTP/1.1 4"));
  EXPECT_THAT(ask("PUT /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n11170\r\n" +
                  std::string(70'000, 'a')),
              StartsWith("HTTP/1.1 413 "));
  EXPECT_EQ(echo_.served, 0);
}

// Each is let go, without having been served: the test hangs if one is not.
TEST_F(http_server, sec_34_who_says_nothing_or_too_slowly_is_let_go) {
  server_limits limits;
  limits.transfer = 50ms;
  limits.idle = 50ms;
  start(limits);
  EXPECT_EQ(ask(""), "");
  EXPECT_EQ(ask("GET /a HTTP/1.1\r\nHost:"), "");
  EXPECT_EQ(ask("PUT /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nbody"), "");
  EXPECT_EQ(echo_.served, 0);
  EXPECT_THAT(ask("GET /a HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr("GET /a")) << "idle, then over";
  // A byte now and then keeps nothing open.
  client drip{server_->address()};
  std::atomic<bool> over{false};
  std::thread dripping{[&] {
    while (!over) {
      drip.say("G");
      std::this_thread::yield();
    }
  }};
  drip.hear_all();
  over = true;
  dripping.join();
}

TEST_F(http_server, sec_34_a_full_house_is_told) {
  server_limits limits;
  limits.most_connections = 2;
  start(limits);
  auto first = std::make_unique<client>(server_->address());
  first->say("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").hear_until("GET /a");
  client second{server_->address()};
  second.say("GET /a HTTP/1.1\r\nHost: x\r\n\r\n").hear_until("GET /a");
  const auto said = ask("GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(said, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(said, HasSubstr("Retry-After: 5\r\n"));
  first.reset();
  // There is room once the server has seen it go.
  while (ask("GET /b HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").find("GET /b") ==
         std::string::npos) {
  }
  second.say("GET /c HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(second.hear_until("GET /c"), HasSubstr("GET /c"));
}

TEST_F(http_server, one_that_cannot_listen_says_so) {
  start();
  echo other;
  const auto made = server::listen(server_->address(), {}, other);
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().to_string(), HasSubstr("cannot listen"));
}

} // namespace
} // namespace jackfield::http
