#include <cerrno>
#include <map>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <caf/scoped_actor.hpp>
#include <gtest/gtest.h>

#include "actors/load/answering_engine.hpp"

namespace jackfield {
namespace {

/// So many that no lane has less than half of its share by chance: that is five deviations away.
constexpr unsigned calls = 240;

/// A caller with one socket, on the test's own thread, who keeps to the shortest of calls: INVITE,
/// ACK, BYE.
class caller {
public:
  caller(transport::protocol p, const lane::endpoint& to)
      : reliable_(transport::is_reliable(p)), to_(to.to_string()),
        fd_(socket(AF_INET, (reliable_ ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0)) {
    // A test that hangs ends as one that failed.
    const timeval limit{60, 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    const int buffer = 1 << 20; // all calls are answered at once, whoever has the core meanwhile
    setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    sockaddr_storage address{};
    const auto length = to.to_sockaddr(address);
    EXPECT_EQ(connect(fd_, reinterpret_cast<const sockaddr*>(&address), length), 0);
    sockaddr_storage own{};
    socklen_t own_length = sizeof own;
    getsockname(fd_, reinterpret_cast<sockaddr*>(&own), &own_length);
    here_ = lane::endpoint::from_sockaddr(reinterpret_cast<const sockaddr*>(&own), own_length)
              .to_string();
  }
  ~caller() { close(fd_); }
  caller(const caller&) = delete;
  caller& operator=(const caller&) = delete;

  void send(std::string_view method, unsigned call, int cseq, const std::string& to_line = {},
            const std::string& more = {}) {
    const auto number = std::to_string(call);
    const std::string body = method == "INVITE"
                               ? "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\n"
                                 "t=0 0\r\nm=audio 9000 RTP/AVP 0\r\n"
                               : "";
    std::string text{method};
    text += " sip:service@" + to_ + " SIP/2.0\r\nVia: SIP/2.0/" + (reliable_ ? "TCP " : "UDP ") +
            here_ + ";branch=z9hG4bK" + number + std::string{method} +
            "\r\nMax-Forwards: 70\r\nFrom: <sip:caller@example.org>;tag=f" + number + "\r\n" +
            (to_line.empty() ? "To: <sip:user" + number + "@example.org>" : to_line) +
            "\r\nCall-ID: " + here_ + "-" + number + "\r\nCSeq: " + std::to_string(cseq) + " " +
            std::string{method} + "\r\nContact: <sip:caller@" + here_ +
            (reliable_ ? ";transport=tcp>\r\n" : ">\r\n") +
            (body.empty() ? "" : "Content-Type: application/sdp\r\n") + more +
            "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
    EXPECT_EQ(::send(fd_, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
  }

  /// The next message; empty if none comes.
  std::string receive() {
    for (;;) {
      if (const auto head = held_.find("\r\n\r\n"); head != std::string::npos) {
        const auto length = line(held_, "Content-Length");
        const auto size = head + 4 + std::stoul(length.substr(length.find(':') + 1));
        if (held_.size() >= size) {
          auto message = held_.substr(0, size);
          held_.erase(0, size);
          return message;
        }
      }
      std::string more(65'536, '\0');
      const auto got = recv(fd_, more.data(), more.size(), 0);
      if (got < 0 && errno == EINTR) // as a ring of a node that has gone is taken down
        continue;
      if (got <= 0) {
        ADD_FAILURE() << "nothing more comes: "
                      << (got == 0 ? "its end" : std::generic_category().message(errno));
        return {};
      }
      held_.append(more, 0, static_cast<size_t>(got));
    }
  }

  static std::string line(const std::string& message, std::string_view name) {
    const auto at = message.find("\r\n" + std::string{name} + ":");
    return at == std::string::npos ? std::string{}
                                   : message.substr(at + 2, message.find("\r\n", at + 2) - at - 2);
  }

  /// Places all calls at once; how many ended well.
  unsigned place_calls() {
    for (unsigned i = 0; i < calls; ++i)
      send("INVITE", i, 1);
    unsigned done = 0;
    std::set<unsigned> up;
    while (done < calls) {
      const auto message = receive();
      if (message.empty())
        break;
      const auto id = line(message, "Call-ID");
      const auto call = static_cast<unsigned>(std::stoul(id.substr(id.rfind('-') + 1)));
      if (message.starts_with("SIP/2.0 1"))
        continue;
      EXPECT_TRUE(message.starts_with("SIP/2.0 200")) << message;
      if (line(message, "CSeq").ends_with("BYE")) {
        ++done;
      } else if (up.insert(call).second) {
        send("ACK", call, 1, line(message, "To"));
        send("BYE", call, 2, line(message, "To"));
      }
    }
    return done;
  }

  /// Registers as many users; how many were told so.
  unsigned enrol() {
    unsigned done = 0;
    for (unsigned i = 0; i < calls; ++i)
      send("REGISTER", i, 1, {}, "Expires: 600\r\n");
    for (; done < calls; ++done) {
      const auto message = receive();
      EXPECT_TRUE(message.starts_with("SIP/2.0 200")) << message;
      if (message.empty())
        break;
    }
    return done;
  }

private:
  const bool reliable_;
  const std::string to_;
  const int fd_;
  std::string here_;
  std::string held_;
};

class serve_together_test : public testing::TestWithParam<transport::protocol> {
protected:
  void serve(unsigned lanes) {
    node_settings settings;
    settings.lanes = lanes;
    settings.serve_together = true;
    settings.media.address = lane::endpoint::loopback_v4(0);
    node_ = node::make(settings).value();
    at_ = node_->listen_together(GetParam(), lane::endpoint::loopback_v4(0)).value();
    answering_settings answering;
    answering.rtp = false;
    services_ = start_answering(
      *node_, answer_manner_of(answering, lane::endpoint::loopback_v4(0), nullptr), {});
    node_->start();
  }
  /// What each lane measured.
  std::vector<report::run_metrics> drain() {
    std::vector<report::run_metrics> out(services_.size());
    caf::scoped_actor self{node_->system()};
    for (const auto& service : services_)
      self->send(service, service_drain{});
    for (size_t i = 0; i < services_.size(); ++i)
      self->receive([&](const service_stopped& s) { out.at(s.source) = *s.metrics; });
    services_.clear();
    return out;
  }

  std::unique_ptr<node> node_;
  std::vector<caf::actor> services_;
  lane::endpoint at_;
};

TEST_P(serve_together_test, calls_of_one_source_are_taken_by_all_lanes) {
  serve(3);
  caller one{GetParam(), at_};
  EXPECT_EQ(one.place_calls(), calls);
  const auto lanes = drain();
  report::run_metrics all;
  for (const auto& lane : lanes) {
    EXPECT_GT(lane.calls.started, calls / 6);
    all.merge(lane);
  }
  EXPECT_EQ(all.calls.started, calls);
  EXPECT_EQ(all.calls.completed, calls);
  EXPECT_EQ(all.unexpected, 0U);
}

TEST_P(serve_together_test, users_are_registered_with_the_node) {
  serve(2);
  caller one{GetParam(), at_};
  caller two{GetParam(), at_};
  caller three{GetParam(), at_};
  EXPECT_EQ(one.enrol(), calls);
  EXPECT_EQ(two.enrol(), calls);
  EXPECT_EQ(three.enrol(), calls);
  const auto lanes = drain();
  EXPECT_GT(lanes[0].registrations.current, calls / 4);
  EXPECT_GT(lanes[1].registrations.current, calls / 4);
  EXPECT_EQ(lanes[0].registrations.current + lanes[1].registrations.current, calls)
    << "the same users each time";
}

TEST_P(serve_together_test, lanes_stop_with_calls_that_came_over_a_connection_of_another) {
  serve(2);
  {
    caller one{GetParam(), at_};
    for (unsigned i = 0; i < calls; ++i)
      one.send("INVITE", i, 1);
    std::set<std::string> up;
    while (up.size() < calls) {
      const auto message = one.receive();
      ASSERT_FALSE(message.empty());
      if (message.starts_with("SIP/2.0 200"))
        up.insert(caller::line(message, "Call-ID"));
    }
  } // its connection is gone, and the node may or may not know it as it ends
  services_.clear();
  node_.reset();
}

TEST_P(serve_together_test, one_lane_serves_alone) {
  serve(1);
  caller one{GetParam(), at_};
  EXPECT_EQ(one.place_calls(), calls);
  EXPECT_EQ(drain().front().calls.completed, calls);
}

TEST_P(serve_together_test, a_port_that_another_serves_is_refused) {
  serve(2);
  node_settings settings;
  settings.lanes = 2;
  settings.media.address = lane::endpoint::loopback_v4(0);
  const auto other = node::make(settings).value();
  EXPECT_FALSE(other->listen_together(GetParam(), at_))
    << "though its lanes would share it with one another";
  drain();
}

INSTANTIATE_TEST_SUITE_P(transports, serve_together_test,
                         testing::Values(transport::protocol::udp, transport::protocol::tcp),
                         [](const auto& with) {
                           return with.param == transport::protocol::udp ? "udp" : "tcp";
                         });

} // namespace
} // namespace jackfield
