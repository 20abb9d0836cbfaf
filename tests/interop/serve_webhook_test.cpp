#include <algorithm>
#include <csignal>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "app/webhooks/webhook_settings.hpp"
#include "tests/interop/http_client.hpp"
#include "tests/interop/peers.hpp"
#include "tests/interop/webhook_receiver.hpp"

namespace jackfield::tests {
namespace {

using json = nlohmann::json;
using requests = std::vector<webhook_receiver::request>;
using testing::HasSubstr;
using testing::Not;

constexpr auto secret = "whsec_Y2FuYXJ5LWNhbmFyeS1jYW5hcnktY2FuYXJ5LTAx";

/// `jackfield serve` with a webhook, a queue and an agent, whose phone is registered.
class serve_webhook : public testing::Test {
protected:
  void write_config(const std::string& more = {}) {
    (void)folder_.write("centre.toml",
                        "[server]\nlisten = [\"udp:127.0.0.1:" + std::to_string(sip_) +
                          "\"]\nlanes = 2\n[api]\nlisten = \"127.0.0.1:0\"\n"
                          "[[agent]]\nname = \"alice\"\n"
                          "[[queue]]\nname = \"support\"\nmembers = \"all\"\nmusic = \"silence\"\n"
                          "[[webhook]]\nname = \"crm\"\nurl = \"http://127.0.0.1:" +
                          std::to_string(receiver_.port()) + "/hook?key=canary\"\nsecret = \"" +
                          secret + "\"\n" + more);
  }
  void start(const arguments& more = {}) {
    arguments command{JACKFIELD_PROGRAM,           "serve",    "-c",
                      folder_.file("centre.toml"), "--events", folder_.file("events.jsonl")};
    command.insert(command.end(), more.begin(), more.end());
    program_ = std::make_unique<process>("serve-" + std::to_string(++starts_), folder_, command);
    const auto api = program_->wait_for_rest_of_line("API on ");
    port_ = port_in(api.substr(0, api.find(',')));
    std::getline(std::ifstream{folder_.file("api-token")}, token_);
    ASSERT_TRUE(program_->wait_for("serving "));
  }
  void start_phone() {
    phone_ = std::make_unique<process>(
      "phone", folder_,
      arguments{JACKFIELD_PROGRAM, "answer", "--users",
                folder_.write("agents.csv", "user,password\nalice,x\n"), "--register",
                "sip:" + loopback(sip_), "--media", "rtp", "--duration", "200ms"});
    ASSERT_TRUE(phone_->wait_for("registered "));
  }
  void call(int times) {
    const auto load = run_load(folder_, {sip_uri("support", sip_), "-m", std::to_string(times),
                                         "-r", "5", "--duration", "300s", "--callee-hangs-up",
                                         "expected", "--codecs", "PCMU"});
    expect_all_completed(load, static_cast<uint64_t>(times));
  }
  http_answer ask_api(const std::string& method, const std::string& target) const {
    return ask(port_, {method, target, {"Authorization: Bearer " + token_}});
  }
  json hook() const { return ask_api("GET", "/v1/webhooks").json().at("webhooks").at(0); }
  /// All that the API tells of, once it told of so many calls that are completed.
  std::vector<json> told(int completed) const {
    std::vector<json> events;
    for (std::string after;;) {
      const auto page = ask_api("GET", "/v1/events?wait=30" + after).json();
      for (const auto& each : page.at("events")) {
        events.push_back(each);
        completed -= each.at("event") == "call.completed";
      }
      if (completed <= 0)
        return events;
      after = "&after=" + std::to_string(page.at("next").get<uint64_t>());
    }
  }
  /// Those of the first that was taken on, each at least once and in order.
  static void expect_each_in_order(const requests& got, const std::vector<json>& wanted) {
    const auto taken = events_taken(got);
    std::vector<json> once;
    for (const auto& each : taken)
      if (once.empty() || each.at("seq") > once.back().at("seq"))
        once.push_back(each);
    ASSERT_GE(once.size(), wanted.size());
    once.resize(wanted.size());
    EXPECT_EQ(once, wanted);
  }
  /// Waits until an event of that number, or a later one, was taken.
  requests wait_until_taken(uint64_t seq) {
    return receiver_.wait_until([&](const requests& got) {
      const auto taken = events_taken(got);
      return !taken.empty() && taken.back().at("seq").get<uint64_t>() >= seq;
    });
  }
  std::vector<json> written() const {
    std::vector<json> events;
    for (const auto& line : lines_of(folder_.file("events.jsonl")))
      events.push_back(json::parse(line));
    return events;
  }
  void stop() {
    program_->signal(SIGTERM);
    EXPECT_EQ(program_->wait(), 0);
  }

  scratch_folder folder_;
  webhook_receiver receiver_;
  uint16_t sip_ = free_port();
  std::unique_ptr<process> program_;
  std::unique_ptr<process> phone_;
  uint16_t port_ = 0;
  std::string token_;
  int starts_ = 0;
};

TEST_F(serve_webhook, tells_all_in_order_signed_and_again_what_was_refused) {
  receiver_.answer_with(500);
  write_config();
  start();
  ASSERT_NO_FATAL_FAILURE(start_phone());
  const auto refused = receiver_.wait_until([](const requests& got) { return got.size() == 2; });
  receiver_.answer_with(204);
  EXPECT_EQ(refused[0].headers.at("webhook-id"), refused[1].headers.at("webhook-id"));
  EXPECT_EQ(refused[0].body, refused[1].body) << "the same message again";
  call(5);
  const auto events = told(5);
  (void)wait_until_taken(events.back().at("seq"));
  const auto is = hook();
  EXPECT_GE(is.at("failures"), 2);
  EXPECT_GE(is.at("deliveries"), 1);
  EXPECT_EQ(is.at("last_error"), nullptr);
  EXPECT_EQ(is.at("url"), "http://127.0.0.1:" + std::to_string(receiver_.port()) + "/hook");
  EXPECT_THAT(ask(port_, {"GET", "/metrics"}).body,
              HasSubstr("jackfield_webhook_events_dropped_total{webhook=\"crm\"} 0\n"));
  stop();

  const auto got = receiver_.all();
  const auto key = webhooks::read_webhook_secret(secret).value();
  std::set<std::string> ids;
  for (const auto& each : got) {
    EXPECT_EQ(each.line, "POST /hook?key=canary HTTP/1.1\r");
    EXPECT_EQ(each.headers.at("content-type"), "application/json");
    EXPECT_EQ(each.headers.at("host"), "127.0.0.1:" + std::to_string(receiver_.port()));
    const auto& id = each.headers.at("webhook-id");
    EXPECT_EQ(each.headers.at("webhook-signature"),
              webhooks::webhook_signature(key, id, std::stoll(each.headers.at("webhook-timestamp")),
                                          each.body));
    if (each.answered == 204) {
      EXPECT_TRUE(ids.insert(id).second) << id << " was taken before";
    }
  }
  const auto all = written();
  EXPECT_EQ(events_taken(got), all) << "also what happened last";
  const auto said = program_->standard_error() + program_->standard_output();
  EXPECT_THAT(said, Not(HasSubstr("canary")));
  EXPECT_THAT(said, Not(HasSubstr(secret)));
}

// What it had not told when it was killed it tells after that, and numbers go on.
TEST_F(serve_webhook, goes_on_after_kill_9_where_it_was) {
  write_config();
  start({"--state", folder_.file("state")});
  ASSERT_NO_FATAL_FAILURE(start_phone());
  (void)receiver_.wait_until([](const requests& got) { return !got.empty(); });
  receiver_.answer_with(503);
  call(5);
  const auto before = told(5);
  (void)receiver_.wait_until([](const requests& got) { return got.back().answered == 503; });
  EXPECT_LT(hook().at("cursor"), before.back().at("seq"));
  json finished; // else the next start has to end calls whose caller is gone, which takes a while
  do
    finished = ask_api("GET", "/v1/cdrs").json();
  while (finished.at("cdrs").size() < 10); // two a call
  program_->signal(SIGKILL);
  EXPECT_EQ(program_->wait(), 128 + SIGKILL);
  receiver_.answer_with(200);

  start({"--state", folder_.file("state")});
  call(2); // the phone is registered as before
  const auto all = told(7);
  for (size_t i = 0; i < all.size(); ++i)
    EXPECT_EQ(all[i].at("seq"), i + 1) << "the API, too, tells of both processes";
  for (size_t i = 0; i < before.size(); ++i)
    EXPECT_EQ(all[i], before[i]);
  const auto got = wait_until_taken(all.back().at("seq"));
  expect_each_in_order(got, all);
  for (const auto& each : got)
    EXPECT_EQ(json::parse(each.body).at("dropped"), 0);
  stop();
}

TEST_F(serve_webhook, that_was_not_taken_at_the_end_is_for_the_next_start) {
  receiver_.answer_with(302);
  write_config();
  start({"--state", folder_.file("state")});
  ASSERT_NO_FATAL_FAILURE(start_phone());
  (void)receiver_.wait_until([](const requests& got) { return !got.empty(); });
  json is;
  do
    is = hook();
  while (is.at("last_error").is_null());
  EXPECT_EQ(is.at("last_error"), "the receiver answered 302, and redirects are not followed");
  EXPECT_TRUE(is.at("next_try_us").is_number());
  receiver_.answer_with(0);
  stop(); // with a receiver that says nothing
  for (const auto& each : receiver_.all())
    EXPECT_EQ(each.line, "POST /hook?key=canary HTTP/1.1\r") << "it was not sent elsewhere";
  const auto events = written();
  ASSERT_FALSE(events.empty());
  receiver_.answer_with(200);
  start({"--state", folder_.file("state")});
  expect_each_in_order(wait_until_taken(events.back().at("seq")), events);
  stop();
}

TEST_F(serve_webhook, whose_receiver_is_gone_is_left_alone_until_a_reload) {
  receiver_.answer_with(410);
  write_config("events = [\"call.completed\", \"agent.\"]\n");
  start();
  ASSERT_NO_FATAL_FAILURE(start_phone());
  (void)receiver_.wait_until([](const requests& got) { return !got.empty(); });
  while (!hook().at("stopped").get<bool>()) {
  }
  call(1);
  const auto events = told(1);
  EXPECT_EQ(receiver_.all().size(), 1U) << "it was asked once";
  EXPECT_THAT(ask(port_, {"GET", "/metrics"}).body,
              HasSubstr("jackfield_webhook_stopped{webhook=\"crm\"} 1\n"));
  receiver_.answer_with(200);
  write_config("events = [\"call.completed\"]\n[[webhook]]\nname = \"second\"\nurl = "
               "\"http://127.0.0.1:9/\"\nsecret = \"" +
               std::string{secret} + "\"\n");
  const auto reloaded = ask_api("POST", "/v1/reload").json();
  EXPECT_EQ(reloaded.at("webhooks"),
            (json{{"count", 2}, {"added", json::array({"second"})}, {"removed", json::array()}}));
  const auto got = receiver_.wait_until([](const requests& r) { return r.size() == 2; });
  const auto taken = events_taken(got);
  ASSERT_EQ(taken.size(), 1U) << got.back().body;
  EXPECT_EQ(taken.front().at("event"), "call.completed");
  EXPECT_EQ(json::parse(got.back().body).at("dropped"), 0);
  EXPECT_EQ(ask_api("GET", "/v1/webhooks?after=crm").json().at("webhooks")[0].at("behind"), 0)
    << "it begins with the next event";
  write_config();
  EXPECT_EQ(ask_api("POST", "/v1/reload").json().at("webhooks").at("removed"),
            json::array({"second"}));
  EXPECT_EQ(ask_api("GET", "/v1/webhooks").json().at("webhooks").size(), 1U);
  stop();
}

/// The SSRF and secrets' rows of the security list, as far as the configuration goes.
class webhook_config : public testing::Test {
protected:
  std::string check(const std::string& hook, int expected = 2) {
    process program{
      "check", folder_,
      arguments{JACKFIELD_PROGRAM, "serve", "--check", "-c",
                folder_.write("centre.toml", "[server]\nlisten = [\"udp:127.0.0.1:0\"]\n"
                                             "[[webhook]]\n" +
                                               hook)}};
    EXPECT_EQ(program.wait(), expected) << hook << program.standard_error();
    auto said = program.standard_error() + program.standard_output();
    EXPECT_THAT(said, Not(HasSubstr("canary")));
    EXPECT_THAT(said, Not(HasSubstr("Y2FuYXJ5")));
    return said;
  }
  const std::string secret_line = "secret = \"" + std::string{secret} + "\"\n";
  scratch_folder folder_;
};

TEST_F(webhook_config, sec_37_is_checked_whole_with_lines_and_tells_no_secret) {
  EXPECT_THAT(check("url = \"https://127.0.0.1/a?key=canary\"\n" + secret_line, 0),
              HasSubstr("webhook \"https://127.0.0.1/a\": https://127.0.0.1/a\n"));
  const auto all =
    check("url = \"http://192.0.2.1/canary\"\nsecret = \"canary\"\nevents = [\"cal.\"]\n"
          "colour = 1\n");
  EXPECT_THAT(all, HasSubstr("centre.toml:4: url: is plain http, and leads to others"));
  EXPECT_THAT(all, HasSubstr("centre.toml:5: secret: is none, expected \"whsec_\""));
  EXPECT_THAT(all, HasSubstr("centre.toml:6: events: \"cal.\" is no event and begins none"));
  EXPECT_THAT(all, HasSubstr("centre.toml:7: colour: is unknown in [[webhook]]"));
  EXPECT_THAT(check(secret_line), HasSubstr("centre.toml:3: url: is missing"));
  EXPECT_THAT(check("url = \"https://u:canary@example.com/\"\n" + secret_line),
              HasSubstr("centre.toml:4: url: has a user"));
  EXPECT_THAT(check("url = \"https://example.com/\"\ninsecure = true\n" + secret_line),
              HasSubstr("centre.toml:5: insecure: is of http"));
  EXPECT_THAT(check("url = \"https://example.com/\"\n"),
              HasSubstr("centre.toml:3: secret: or secret_file is expected"));
  EXPECT_THAT(check("url = \"https://example.com/\"\nca_file = \"no.pem\"\n" + secret_line),
              HasSubstr("centre.toml:5: ca_file: "));
  EXPECT_THAT(check("url = \"http://127.0.0.1/\"\nca_file = \"no.pem\"\n" + secret_line),
              HasSubstr("centre.toml:5: ca_file: is of https"));
  EXPECT_THAT(check("url = \"https://example.com/\"\n" + secret_line +
                    "[[webhook]]\nurl = \"https://example.com/\"\n" + secret_line),
              HasSubstr("centre.toml:6: name: \"https://example.com/\" is a webhook already"));
  (void)check("url = \"http://192.0.2.1/\"\ninsecure = true\nevents = \"call.\"\n" + secret_line,
              0);
  const auto file = folder_.write("s", std::string{secret} + "\n");
  const std::string by_file = "url = \"https://example.com/\"\nsecret_file = \"s\"\n";
  ::chmod(file.c_str(), 0644);
  EXPECT_THAT(check(by_file),
              HasSubstr("centre.toml:5: secret_file: is open to others than its owner"));
  ::chmod(file.c_str(), 0600);
  (void)check(by_file, 0);
  (void)folder_.write("s", "canary-canary-canary");
  EXPECT_THAT(check(by_file), HasSubstr("centre.toml:5: secret_file: is none"));
}

} // namespace
} // namespace jackfield::tests
