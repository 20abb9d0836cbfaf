// RFC 3263 against a small name server of our own on the loopback interface.

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/lane/io_lane.hpp"
#include "engine/lane/sim_lane.hpp"
#include "engine/transport/resolver.hpp"
#include "tests/dns_messages.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>

namespace jackfield::transport {
namespace {

using namespace std::chrono_literals;
using lane::time_point;
using testing::ElementsAre;
using testing::HasSubstr;

/// Answers from a table; what is not in it does not exist.
class name_server final : public lane::datagram_handler {
public:
  explicit name_server(lane::lane& home)
      : socket(home.open_datagram(lane::endpoint::loopback_v4(0), *this, {}).value()) {}

  void on_datagram(const lane::endpoint& from, std::span<const std::byte> bytes,
                   time_point) override {
    const auto question =
      read_question({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
    ASSERT_TRUE(question);
    asked.push_back(std::to_string(question->type) + ' ' + question->name);
    if (silent)
      return;
    if (before_answer)
      before_answer(from, question->id, question->text);
    socket->send(from, answer_from(table, *question));
  }

  record_table table;
  std::vector<std::string> asked;
  bool silent = false;
  std::function<void(const lane::endpoint&, const std::string& id, const std::string& question)>
    before_answer;
  std::unique_ptr<lane::datagram_socket> socket;
};

class look_up : public testing::Test {
protected:
  look_up() {
    settings_.servers = {dns_.socket->local()};
    settings_.query_timeout = 100ms;
    settings_.tries = 1;
  }

  /// Runs the lane through the look-ups, one after the other, and returns their outcomes: targets
  /// as "tcp 192.0.2.1:5060", or a failure's cause.
  std::vector<std::vector<std::string>> resolve(const std::vector<resolve_request>& requests) {
    resolver r{*home_, settings_};
    std::vector<std::vector<std::string>> out;
    std::vector<resolver::pending> under_way;
    std::function<void()> next = [&] {
      if (out.size() == requests.size()) {
        home_->stop();
        return;
      }
      under_way.push_back(r.resolve(requests[out.size()], [&](result<target_selection> found) {
        std::vector<std::string> texts;
        if (!found)
          texts.push_back(found.error().cause);
        else
          for (const target& t : found->all())
            texts.push_back(std::string{to_string(t.protocol)} + ' ' + t.remote.to_string());
        out.push_back(texts);
        home_->post(next);
      }));
    };
    home_->post(next);
    home_->run();
    remembered_ = r.remembered();
    return out;
  }
  std::vector<std::string> resolve_one(const resolve_request& request) {
    return resolve({request}).at(0);
  }

  caf::actor_system_config config_;
  caf::actor_system system_{config_};
  std::unique_ptr<lane::io_lane> home_ = lane::io_lane::make(system_, 0).value();
  name_server dns_{*home_};
  resolver_settings settings_;
  size_t remembered_ = 0;
};

TEST_F(look_up, naptr_leads_to_srv_leads_to_addresses) {
  dns_.table = {
    {"example.test", service(20, 1, "SIP+D2U", "_sip._udp.example.test")},
    {"example.test", service(10, 1, "SIPS+D2T", "_sips._tcp.example.test")},
    {"_sips._tcp.example.test", server(2, 0, 5081, "backup.example.test")},
    {"_sips._tcp.example.test", server(1, 0, 5071, "main.example.test")},
    {"_sip._udp.example.test", server(1, 0, 5060, "main.example.test")},
    {"main.example.test", address("192.0.2.1")},
    {"main.example.test", address("2001:db8::1")},
    {"backup.example.test", address("192.0.2.2")},
  };
  EXPECT_THAT(resolve_one({.host = "example.test"}),
              ElementsAre("TLS 192.0.2.1:5071", "TLS [2001:db8::1]:5071", "TLS 192.0.2.2:5081",
                          "UDP 192.0.2.1:5060", "UDP [2001:db8::1]:5060"));
}

TEST_F(look_up, what_the_uri_says_comes_first) {
  dns_.table = {
    {"a.test", service(1, 1, "SIP+D2U", "_sip._udp.a.test")},
    {"_sip._udp.a.test", server(1, 0, 5070, "host.a.test")},
    {"_sip._tcp.a.test", server(1, 0, 5080, "host.a.test")},
    {"_sips._tcp.a.test", server(1, 0, 5081, "host.a.test")},
    {"a.test", address("192.0.2.1")},
    {"host.a.test", address("192.0.2.9")},
  };
  EXPECT_THAT(resolve({{.host = "a.test", .port = 6000},
                       {.host = "a.test", .port = 6000, .protocol = protocol::tcp},
                       {.host = "a.test", .port = 6000, .secure = true},
                       {.host = "a.test", .protocol = protocol::tcp},
                       {.host = "a.test", .protocol = protocol::tcp, .secure = true},
                       {.host = "a.test", .secure = true},
                       {.host = "a.test", .protocol = protocol::ws},
                       {.host = "a.test", .protocol = protocol::ws, .secure = true},
                       {.host = "a.test", .protocol = protocol::udp, .secure = true},
                       {.host = "a.test"}}),
              ElementsAre(ElementsAre("UDP 192.0.2.1:6000"), ElementsAre("TCP 192.0.2.1:6000"),
                          ElementsAre("TLS 192.0.2.1:6000"), ElementsAre("TCP 192.0.2.9:5080"),
                          ElementsAre("TLS 192.0.2.9:5081"), ElementsAre("TLS 192.0.2.9:5081"),
                          ElementsAre("WS 192.0.2.1:80"), ElementsAre("WSS 192.0.2.1:443"),
                          ElementsAre(HasSubstr("UDP")), ElementsAre("UDP 192.0.2.9:5070")));
}

TEST_F(look_up, without_naptr_and_srv_the_host_itself_is_asked) {
  dns_.table = {{"plain.test", address("192.0.2.5")},
                {"half.test", address("192.0.2.6")},
                {"_sip._tcp.half.test", server(1, 0, 5065, "half.test")}};
  EXPECT_THAT(
    resolve(
      {{.host = "plain.test"}, {.host = "plain.test", .secure = true}, {.host = "half.test"}}),
    ElementsAre(ElementsAre("UDP 192.0.2.5:5060"), ElementsAre("TLS 192.0.2.5:5061"),
                ElementsAre("TCP 192.0.2.6:5065")));
}

TEST_F(look_up, numeric_hosts_ask_nothing) {
  EXPECT_THAT(resolve({{.host = "192.0.2.7"},
                       {.host = "[2001:db8::7]", .protocol = protocol::tls},
                       {.host = "2001:db8::7", .port = 5070, .protocol = protocol::tcp}}),
              ElementsAre(ElementsAre("UDP 192.0.2.7:5060"), ElementsAre("TLS [2001:db8::7]:5061"),
                          ElementsAre("TCP [2001:db8::7]:5070")));
  EXPECT_TRUE(dns_.asked.empty());
}

TEST_F(look_up, what_is_no_name_or_does_not_exist_fails) {
  dns_.table = {{"_sip._tcp.refusing.test", server(0, 0, 0, ".")},
                {"refusing.test", address("192.0.2.1")},
                {"bad.test", address("224.0.0.1")}};
  const auto out = resolve({{.host = "none.test"},
                            {.host = ""},
                            {.host = "a b"},
                            {.host = "a..b"},
                            {.host = std::string(64, 'a') + ".test"},
                            {.host = "refusing.test", .protocol = protocol::tcp},
                            {.host = "bad.test"}});
  EXPECT_THAT(out,
              ElementsAre(ElementsAre(HasSubstr("no address")), ElementsAre("not a host name"),
                          ElementsAre("not a host name"), ElementsAre("not a host name"),
                          ElementsAre("not a host name"), ElementsAre(HasSubstr("does not offer")),
                          ElementsAre(HasSubstr("no address"))));
}

TEST_F(look_up, answers_are_remembered_and_so_is_their_absence) {
  dns_.table = {{"a.test", address("192.0.2.1")}};
  const resolve_request there{.host = "A.test", .port = 5060};
  const resolve_request not_there{.host = "b.test", .port = 5060};
  resolve({there, not_there, there, not_there});
  EXPECT_THAT(dns_.asked,
              testing::UnorderedElementsAre("1 a.test", "28 a.test", "1 b.test", "28 b.test"));
  EXPECT_EQ(remembered_, 2U);
}

TEST_F(look_up, nothing_is_remembered_longer_than_allowed) {
  settings_.max_ttl = 0s;
  dns_.table = {{"a.test", address("192.0.2.1")}};
  const resolve_request there{.host = "a.test", .port = 5060};
  resolve({there, there});
  EXPECT_EQ(dns_.asked.size(), 4U);
}

TEST_F(look_up, the_memory_is_bounded) {
  settings_.max_names = 3;
  std::vector<resolve_request> requests;
  requests.reserve(10);
  for (int i = 0; i < 10; ++i)
    requests.push_back({.host = "h" + std::to_string(i) + ".test", .port = 5060});
  resolve(requests);
  EXPECT_LE(remembered_, 3U);
}

TEST_F(look_up, a_silent_server_is_a_failure_not_a_hang) {
  dns_.silent = true;
  EXPECT_THAT(resolve_one({.host = "a.test", .port = 5060}),
              ElementsAre(HasSubstr("cannot be looked up")));
}

TEST_F(look_up, a_look_up_has_a_bound_of_its_own) {
  dns_.silent = true;
  settings_.query_timeout = 1h;
  settings_.lookup_timeout = 50ms;
  EXPECT_THAT(resolve_one({.host = "a.test"}), ElementsAre(HasSubstr("in time")));
}

TEST_F(look_up, may_be_cancelled) {
  dns_.table = {{"a.test", address("192.0.2.1")}};
  resolver r{*home_, settings_};
  bool first = false;
  resolver::pending forgotten;
  resolver::pending kept;
  home_->post([&] {
    forgotten = r.resolve({.host = "a.test", .port = 1}, [&](auto) { first = true; });
    kept = r.resolve({.host = "a.test", .port = 2}, [&](auto) { home_->stop(); });
    EXPECT_TRUE(forgotten.active());
    forgotten = {};
  });
  home_->run();
  EXPECT_FALSE(first);
  EXPECT_FALSE(kept.active());
}

TEST_F(look_up, may_outlive_its_resolver) {
  dns_.silent = true;
  auto r = std::make_unique<resolver>(*home_, settings_);
  bool called = false;
  auto pending = r->resolve({.host = "a.test"}, [&](auto) { called = true; });
  r.reset();
  EXPECT_FALSE(called);
}

TEST_F(look_up, local_names_need_no_dns) {
  settings_.servers.clear();
  EXPECT_THAT(resolve({{.host = "localhost"}, {.host = "LOCALHOST", .port = 9}}),
              ElementsAre(ElementsAre("UDP 127.0.0.1:5060", "UDP [::1]:5060"),
                          ElementsAre("UDP 127.0.0.1:9", "UDP [::1]:9")));
}

TEST(resolver, works_on_a_simulated_lane_with_names_it_was_told) {
  caf::actor_system_config config;
  caf::actor_system system{config};
  lane::sim_lane home{system, 1};
  resolver r{home};
  r.add_host("pbx.test", {lane::endpoint::parse("192.0.2.1", 0).value()});
  std::vector<std::string> out;
  for (const char* host : {"pbx.test", "192.0.2.2", "elsewhere.test"})
    (void)r.resolve({.host = host}, [&](result<target_selection> found) {
      out.push_back(found ? found->current().remote.to_string() : "failed");
    });
  home.run();
  EXPECT_THAT(out, ElementsAre("192.0.2.1:5060", "192.0.2.2:5060", "failed"));
}

// -- SEC-08: forged answers --------------------------------------------------------------

using sec_08 = look_up;

TEST_F(sec_08, answers_to_other_questions_are_ignored) {
  settings_.tries = 3;
  dns_.table = {{"a.test", address("192.0.2.1")}};
  struct stranger final : lane::datagram_handler {
    void on_datagram(const lane::endpoint&, std::span<const std::byte>, time_point) override {}
  } handler;
  const auto elsewhere = home_->open_datagram(lane::endpoint::loopback_v4(0), handler, {}).value();
  int forged = 0;
  dns_.before_answer = [&](const lane::endpoint& to, const std::string& id,
                           const std::string& question) {
    const std::vector<record> lies{address("203.0.113.66")};
    const std::string wrong_id{static_cast<char>(id[0] ^ 1), id[1]};
    const std::string wrong_question = dns_name("b.test") + question.substr(question.size() - 4);
    dns_.socket->send(to, dns_message(wrong_id, question, lies));
    dns_.socket->send(to, dns_message(id, wrong_question, lies));
    elsewhere->send(to, dns_message(id, question, lies));
    // Broken in every length. Newer releases of c-ares let them cost a try, never the look-up.
    const std::string whole = dns_message(wrong_id, question, lies);
    for (size_t i = 0; forged == 0 && i < whole.size(); ++i)
      dns_.socket->send(to, whole.substr(0, i));
    ++forged;
  };
  EXPECT_THAT(resolve_one({.host = "a.test", .port = 5060}), ElementsAre("UDP 192.0.2.1:5060"));
  EXPECT_GE(forged, 1);
}

TEST_F(sec_08, answers_with_absurd_ttl_and_many_records_are_bounded) {
  settings_.max_ttl = 5min;
  auto r = address("192.0.2.1");
  r.ttl = 0x7fffffff;
  dns_.table = {{"a.test", r}};
  for (unsigned i = 0; i < 100; ++i)
    dns_.table.emplace("many.test", address("192.0.2." + std::to_string(i + 1)));
  for (unsigned i = 0; i < 100; ++i)
    dns_.table.emplace("_sip._tcp.srv.test", server(i, 0, 5060, "h" + std::to_string(i) + ".test"));
  const auto out = resolve({{.host = "a.test", .port = 5060},
                            {.host = "many.test", .port = 5060},
                            {.host = "srv.test", .protocol = protocol::tcp}});
  EXPECT_THAT(out.at(0), ElementsAre("UDP 192.0.2.1:5060"));
  EXPECT_LE(out.at(1).size(), 32U);
  EXPECT_LE(dns_.asked.size(), 60U);
}

} // namespace
} // namespace jackfield::transport
