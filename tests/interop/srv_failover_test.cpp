#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/interop/name_server.hpp"
#include "tests/interop/peers.hpp"
#include "tests/interop/sip_tap.hpp" // open_udp

namespace jackfield::tests {
namespace {

constexpr uint64_t user_count = 100;

enum class fault : uint8_t {
  dead,     ///< nobody listens
  silent,   ///< somebody takes what comes, over UDP
  refusing, ///< 503 to whatever comes
  late,     ///< asks who it is, and says 503 to who answers that
  drained,  ///< 503 from some time on, while what it has taken goes on
  dying,    ///< while calls are up and users registered
};

/// A PBX of two servers behind one name, one of which is at fault.
class srv_pbx {
public:
  struct manner {
    std::string transport = "udp";
    fault at_fault = fault::dead;
    bool first = true; ///< that server is the one to be tried first
    bool asks_callers = false;
    std::string rate = "50";
  };

  explicit srv_pbx(const manner& m)
      : manner_(m), answer_(start_answerer(folder_, m.transport + ":127.0.0.1:0")) {
    kamailio_options options;
    options.port = free_port();
    options.callee = "sip:" + loopback(answer_.port) + ";transport=" + m.transport;
    options.asks_callers = m.asks_callers;
    if (m.at_fault == fault::dying)
      options.route = "pbx.test;transport=" + m.transport;
    const auto good_port = options.port;
    good_ = start_kamailio(good_folder_, options);
    auto bad_port = free_port();
    if (m.at_fault == fault::silent) {
      silence_ = open_udp(INADDR_LOOPBACK);
      bad_port = port_of(silence_);
    } else if (m.at_fault != fault::dead) {
      options.port = bad_port;
      if (m.at_fault != fault::dying)
        options.most = m.at_fault == fault::drained ? taken_before : 0;
      options.refuses_late = m.at_fault == fault::late;
      bad_ = start_kamailio(bad_folder_, options);
    }
    const auto service = "_sip._" + m.transport + ".pbx.test";
    names_ = std::make_unique<name_server>(transport::record_table{
      {service, transport::server(20, 0, m.first ? good_port : bad_port, "b.pbx.test")},
      {service, transport::server(10, 0, m.first ? bad_port : good_port, "a.pbx.test")},
      {"a.pbx.test", transport::address("127.0.0.1")},
      {"b.pbx.test", transport::address("127.0.0.1")},
      {"pbx.test", transport::address("127.0.0.2")}, // nobody's: no port was given
    });
    std::string callers = "user,password,to\n";
    for (uint64_t i = 0; i < user_count; ++i)
      callers += "user" + std::to_string(i) + ",pw-user" + std::to_string(i) + ",callee" +
                 std::to_string(i) + "\n";
    calls_ = start_load(folder_, options_with(folder_.write("callers.csv", callers)));
    auto registering = options_with(write_kamailio_users(folder_, user_count));
    registering.insert(registering.end(), {"--flow", "register"});
    registrations_ = start_load(good_folder_, registering);
  }

  /// Half of the calls are up and half of the users registered, and nothing is under way, when
  /// that server dies.
  void kill_at_half() {
    for (uint64_t i = 0; i < user_count / 2; ++i) {
      const auto number = std::to_string(i);
      ASSERT_TRUE(bad_->wait_for("relayed ACK of callee" + number + "\n") &&
                  bad_->wait_for("registered user" + number + " here\n"));
    }
    end(bad_.get());
  }

  void expect_all_served() {
    called_ = calls_.finish();
    registered_ = registrations_.finish();
    const auto answered = answer_.finish();
    ASSERT_TRUE(called_.summary.is_object() && registered_.summary.is_object() &&
                answered.is_object());
    const auto& called = called_.summary.at("calls");
    EXPECT_EQ(called.at("completed"), user_count) << called_.summary.at("failures");
    EXPECT_EQ(called.at("failed"), 0);
    const auto& registered = registered_.summary.at("registrations");
    EXPECT_EQ(registered.at("succeeded"), user_count) << registered_.summary.at("failures");
    EXPECT_EQ(registered.at("failed"), 0);
    const auto& taken = answered.at("calls");
    EXPECT_EQ(taken.at("started"), user_count);
    EXPECT_EQ(taken.at("completed"), user_count) << answered.at("failures");
    EXPECT_EQ(taken.at("failed"), 0);
    // Kamailio's -1: a nonce that it has not made.
    for (auto* server : {good_.get(), bad_.get()}) {
      end(server); // then all that it wrote has been read
      EXPECT_EQ(lines_of(server, ": -1\n"), 0U) << "credentials went to whom they are not for";
    }
    if (manner_.asks_callers) {
      EXPECT_GT(lines_of(good_.get(), "challenged INVITE"), 0U);
    }
  }

  /// Requests that went on to the other server.
  static uint64_t failovers(const load_outcome& outcome) {
    return outcome.summary.at("sip").at("failovers").get<uint64_t>();
  }
  [[nodiscard]] uint64_t refused(const std::string& method) const {
    return lines_of(bad_.get(), "refused " + method);
  }
  [[nodiscard]] const load_outcome& calls() const noexcept { return called_; }
  [[nodiscard]] const load_outcome& registrations() const noexcept { return registered_; }

private:
  static void end(process* server) {
    if (server == nullptr || server->ended_within(0))
      return;
    server->kill_all();
    server->wait();
  }

  /// What a server takes before it is drained.
  static constexpr unsigned taken_before = 60;

  [[nodiscard]] arguments options_with(const std::string& users) const {
    arguments made{"--dns-server",
                   names_->address(),
                   "sip:pbx.test",
                   "--users",
                   users,
                   "-t",
                   manner_.transport,
                   "-m",
                   std::to_string(user_count)};
    if (manner_.at_fault == fault::dying)
      made.insert(made.end(), {"-r", "49.5/1s,0/4s,50", "--duration", "6", "--lanes", "1"});
    else
      made.insert(made.end(), {"-r", manner_.rate, "--duration", "1"});
    return made;
  }
  static uint64_t lines_of(const process* program, std::string_view text) {
    if (program == nullptr)
      return 0;
    const auto said = program->standard_output() + program->standard_error();
    uint64_t count = 0;
    for (size_t at = 0; (at = said.find(text, at)) != std::string::npos; at += text.size())
      ++count;
    return count;
  }

  manner manner_;
  scratch_folder folder_;
  scratch_folder good_folder_;
  scratch_folder bad_folder_;
  answerer answer_;
  std::unique_ptr<process> good_;
  std::unique_ptr<process> bad_; ///< null: there is no such program
  owned_fd silence_;
  std::unique_ptr<name_server> names_;
  running_load calls_;
  running_load registrations_;
  load_outcome called_;
  load_outcome registered_;
};

/// Whether all left in time, on a machine that runs other tests beside, is not judged.
class srv_failover : public testing::Test {
protected:
  void SetUp() override {
    if (!installed("kamailio"))
      GTEST_SKIP() << "no kamailio here: script/install-packages test";
  }
};

class srv_failover_from : public srv_failover,
                          public testing::WithParamInterface<srv_pbx::manner> {};

std::string name_of(const testing::TestParamInfo<srv_pbx::manner>& one) {
  static constexpr const char* faults[] = {"dead", "silent",  "refusing",
                                           "late", "drained", "dying"};
  const auto& m = one.param;
  return m.transport + "_" + faults[static_cast<size_t>(m.at_fault)] +
         (m.first ? "_first" : "_second") + (m.asks_callers ? "_with_407" : "");
}

// RFC 3263 §4.3.
TEST_P(srv_failover_from, leaves_no_call_and_no_user_unserved) {
  srv_pbx pbx{GetParam()};
  pbx.expect_all_served();
  if (HasFatalFailure())
    return;
  const bool refuses = GetParam().at_fault != fault::dead;
  for (const auto& [outcome, method] :
       {std::pair{&pbx.calls(), "INVITE"}, {&pbx.registrations(), "REGISTER"}}) {
    const auto went_on = srv_pbx::failovers(*outcome);
    if (refuses) {
      EXPECT_EQ(pbx.refused(method), went_on);
    }
    if (GetParam().first) {
      EXPECT_GE(went_on, 1U);
      EXPECT_LT(went_on, user_count / 2) << "it is remembered";
    } else {
      EXPECT_EQ(went_on, 0U);
    }
  }
}

std::vector<srv_pbx::manner> manners() {
  std::vector<srv_pbx::manner> all;
  for (const auto* transport : {"udp", "tcp"}) {
    if (transport != std::string_view{"udp"}) // that is slow, and has a test of its own
      for (const bool asks : {false, true})
        all.push_back({transport, fault::dead, true, asks});
    for (const bool asks : {false, true})
      all.push_back({transport, fault::refusing, true, asks});
    all.push_back({transport, fault::dead, false, false});
    all.push_back({transport, fault::refusing, false, true});
    all.push_back({transport, fault::late, true, true});
    all.push_back({transport, fault::drained, true, true});
  }
  return all;
}

INSTANTIATE_TEST_SUITE_P(a_server, srv_failover_from, testing::ValuesIn(manners()), name_of);

// What is within a dialog goes to the other one, too, where the proxy has given the name of both
// (§4.3 there), and who is registered over a connection that is lost registers over another.
TEST_F(srv_failover, over_tcp_from_a_server_that_dies) {
  srv_pbx pbx{{"tcp", fault::dying, true, true}};
  pbx.kill_at_half();
  if (!HasFatalFailure())
    pbx.expect_all_served();
}

// Who says nothing over UDP is waited for as long as a transaction lasts (timers B and F), but not
// by those who come later. Both at once, as that is long.
TEST_F(srv_failover, over_udp_from_a_silent_server_and_from_none) {
  srv_pbx silent{{"udp", fault::silent, true, false, "25"}};
  srv_pbx dead{{"udp", fault::dead, true, true, "25"}};
  for (auto* pbx : {&silent, &dead}) {
    pbx->expect_all_served();
    if (HasFatalFailure())
      return;
    for (const auto* outcome : {&pbx->calls(), &pbx->registrations()}) {
      EXPECT_GE(srv_pbx::failovers(*outcome), 1U);
      EXPECT_LT(srv_pbx::failovers(*outcome), user_count) << "4 s of arrivals, 1.5 s of patience";
    }
  }
}

} // namespace
} // namespace jackfield::tests
