#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "app/http/event_feed.hpp"
#include "app/http/server.hpp"

namespace jackfield::http {
namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using boost::asio::ip::tcp;
using testing::HasSubstr;
using testing::StartsWith;

/// Has a WebSocket at /events, which is refused to who wants to begin at event 99, and none else.
class feeder final : public handler {
public:
  std::optional<answer> refuse(const request& head) override {
    return head.target == "/secret" ? std::optional{problem(401, "no")} : std::nullopt;
  }
  void serve(request what, reply answer_with) override {
    answer out;
    out.body = what.target;
    answer_with(std::move(out));
  }
  tl::expected<opened_socket, answer> open_socket(const request& head) override {
    opened_socket out;
    if (!head.target.starts_with("/events"))
      return out;
    auto source = feed.follow(head.target == "/events?99" ? std::optional<uint64_t>{99}
                                                          : std::optional<uint64_t>{0});
    if (!source)
      return tl::unexpected{source.error()};
    out.source = std::move(*source);
    if (head.subprotocols == "x, bearer.t")
      out.subprotocol = "x";
    return out;
  }

  event_feed feed{300};
};

class web_socket : public testing::Test {
protected:
  web_socket() {
    auto made = server::listen(lane::endpoint::loopback_v4(0), {}, feeder_);
    EXPECT_TRUE(made);
    server_ = std::make_unique<server>(std::move(*made));
    server_->run();
  }
  ~web_socket() override {
    server_->stop();
    feeder_.feed.clear();
  }

  void add(uint64_t upto) {
    while (seq_ < upto) {
      ++seq_;
      feeder_.feed.add(seq_, "{\"seq\":" + std::to_string(seq_) + "}");
    }
  }

  /// For a WebSocket: what was answered instead, whole.
  std::string ask(const std::string& target) const {
    boost::asio::io_context context;
    tcp::socket socket{context};
    socket.connect(
      {boost::asio::ip::make_address(server_->address().address()), server_->address().port()});
    boost::asio::write(socket,
                       boost::asio::buffer("GET " + target +
                                           " HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, close\r\n"
                                           "Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
                                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"));
    std::string answer;
    beast::error_code over;
    boost::asio::read(socket, boost::asio::dynamic_buffer(answer), over);
    return answer;
  }

  class client {
  public:
    explicit client(const server& of) : socket_(context_) {
      socket_.next_layer().connect(
        {boost::asio::ip::make_address(of.address().address()), of.address().port()});
    }
    /// 0: it was answered something else.
    unsigned open(const std::string& target, const std::string& subprotocols = {}) {
      socket_.set_option(
        websocket::stream_base::decorator([subprotocols](websocket::request_type& r) {
          if (!subprotocols.empty())
            r.set(beast::http::field::sec_websocket_protocol, subprotocols);
        }));
      beast::error_code failed;
      socket_.handshake(response_, "x", target, failed);
      return failed ? 0 : response_.result_int();
    }
    /// The next message; empty: it was closed, `reason()` tells why.
    std::string hear() {
      beast::flat_buffer heard;
      beast::error_code failed;
      socket_.read(heard, failed);
      return failed ? std::string{} : beast::buffers_to_string(heard.data());
    }
    void say(const std::string& text) { socket_.write(boost::asio::buffer(text)); }
    void close() { socket_.close(websocket::close_code::normal); }
    [[nodiscard]] std::string subprotocol() const {
      return std::string{response_[beast::http::field::sec_websocket_protocol]};
    }
    [[nodiscard]] const websocket::close_reason& reason() const { return socket_.reason(); }

  private:
    boost::asio::io_context context_;
    websocket::stream<tcp::socket> socket_;
    websocket::response_type response_;
  };

  feeder feeder_;
  std::unique_ptr<server> server_;
  uint64_t seq_ = 0;
};

TEST_F(web_socket, tells_what_was_and_then_what_comes) {
  add(2);
  client c{*server_};
  ASSERT_EQ(c.open("/events", "x, bearer.t"), 101u);
  EXPECT_EQ(c.subprotocol(), "x");
  EXPECT_THAT(c.hear(), HasSubstr("\"events\":[{\"seq\":1},{\"seq\":2}],\"next\":2,"));
  add(3);
  EXPECT_THAT(c.hear(), HasSubstr("\"events\":[{\"seq\":3}],\"next\":3,"));
}

TEST_F(web_socket, parts_of_a_long_row_are_messages) {
  add(250);
  client c{*server_};
  ASSERT_EQ(c.open("/events"), 101u);
  EXPECT_EQ(c.subprotocol(), "");
  EXPECT_THAT(c.hear(), HasSubstr("\"next\":100,"));
  EXPECT_THAT(c.hear(), HasSubstr("\"next\":200,"));
  EXPECT_THAT(c.hear(), HasSubstr("\"next\":250,"));
}

TEST_F(web_socket, who_is_refused_or_asks_elsewhere_has_none) {
  EXPECT_THAT(ask("/secret"), StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(ask("/events?99"), StartsWith("HTTP/1.1 410 "));
  EXPECT_THAT(ask("/else"), StartsWith("HTTP/1.1 200 ")) << "served as any request";
  EXPECT_EQ(client{*server_}.open("/secret"), 0u);
}

TEST_F(web_socket, what_clients_say_is_left_and_too_much_of_it_ends_it) {
  client c{*server_};
  ASSERT_EQ(c.open("/events"), 101u);
  c.say("hello");
  add(1);
  EXPECT_THAT(c.hear(), HasSubstr("\"next\":1,"));
  c.say(std::string(5'000, 'a'));
  EXPECT_EQ(c.hear(), "");
  EXPECT_EQ(c.reason().code, websocket::close_code::too_big);
}

// So many may wait at once; each that has closed makes room.
TEST_F(web_socket, who_has_gone_waits_no_more) {
  for (size_t i = 0; i < 2 * event_feed::most_waiting; ++i) {
    client c{*server_};
    ASSERT_EQ(c.open("/events"), 101u);
    c.close();
  }
  client c{*server_};
  ASSERT_EQ(c.open("/events"), 101u);
  add(1);
  EXPECT_THAT(c.hear(), HasSubstr("\"next\":1,"));
}

TEST_F(web_socket, more_than_may_wait_are_told) {
  std::vector<std::unique_ptr<client>> all;
  for (size_t i = 0; i < event_feed::most_waiting; ++i) {
    all.push_back(std::make_unique<client>(*server_));
    ASSERT_EQ(all.back()->open("/events"), 101u);
  }
  client last{*server_};
  ASSERT_EQ(last.open("/events"), 101u);
  EXPECT_EQ(last.hear(), "");
  EXPECT_EQ(last.reason().code, 4503);
  EXPECT_EQ(std::string(last.reason().reason.c_str()), "too many wait for events");
  add(1);
  for (auto& each : all)
    EXPECT_THAT(each->hear(), HasSubstr("\"next\":1,"));
}

} // namespace
} // namespace jackfield::http
