#include <algorithm>
#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <map>
#include <random>
#include <set>
#include <sstream>
#include <string>
#include <string_view>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "storage/records.hpp"
#include "storage/rocks_store.hpp"
#include "storage/run_book.hpp"
#include "tests/interop/peers.hpp"
#include "tests/interop/process.hpp"
#include "tests/interop/sip_tap.hpp"

namespace jackfield::tests {
namespace {

using testing::HasSubstr;

/// What the answering side was sent: the branches of the INVITEs of each Call-ID.
std::map<std::string, std::set<std::string>> invites_in(const std::string& trace) {
  std::ifstream in(trace, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  std::map<std::string, std::set<std::string>> found;
  constexpr std::string_view begin = "INVITE sip:";
  for (auto at = text.find(begin); at != std::string::npos; at = text.find(begin, at + 1)) {
    const auto message = std::string_view{text}.substr(at, text.find("\r\n\r\n", at) - at);
    const auto via = header_of(message, "Via");
    const auto branch = via.find("branch=");
    if (branch != std::string_view::npos)
      found[std::string{header_of(message, "Call-ID")}].emplace(
        via.substr(branch, via.find(';', branch) - branch));
  }
  return found;
}

struct records {
  std::map<std::string, nlohmann::json> by_call_id;
  std::set<std::string> ids;
  size_t lines = 0;
  bool rising = true;
};

class kept_state : public testing::Test {
protected:
  int state(std::string_view action, const arguments& more, std::string* out = nullptr) {
    arguments command{JACKFIELD_PROGRAM, "state", std::string{action}, directory_};
    command.insert(command.end(), more.begin(), more.end());
    process program{"state", folder_, command};
    const int status = program.wait();
    if (out != nullptr)
      *out = program.standard_output();
    return status;
  }
  records exported() {
    std::string text;
    EXPECT_EQ(state("export", {"--cdrs", "--format", "jsonl"}, &text), 0);
    records all;
    uint64_t last = 0;
    std::istringstream lines{text};
    for (std::string line; std::getline(lines, line); ++all.lines) {
      auto record = nlohmann::json::parse(line);
      const uint64_t sequence = record.at("seq");
      all.rising = all.rising && sequence > last;
      last = sequence;
      all.ids.insert(record.at("id").get<std::string>());
      all.by_call_id.emplace(record.at("call_id").get<std::string>(), std::move(record));
    }
    return all;
  }
  arguments load(const std::string& uri, std::string_view calls, const arguments& more = {}) {
    arguments all{uri,       "--calls", std::string{calls}, "--rate",  "100", "--duration", "500ms",
                  "--media", "none",    "--state",          directory_};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  scratch_folder folder_;
  std::string directory_ = folder_.file("state");
};

TEST_F(kept_state, killed_at_any_time_it_calls_nobody_twice_loses_no_record_and_leaves_no_call_up) {
  const auto trace = folder_.file("trace.txt");
  auto answering =
    start_answerer(folder_, "udp:127.0.0.1:0",
                   {"--media", "none", "--answer-after", "150ms", "--trace", trace, "--trace-all"});
  const auto uri = sip_uri("x", answering.port);
  EXPECT_EQ(run_load(folder_, load(uri, "5")).status, 0); // there is a store from now on
  std::minstd_rand random{7};
  std::uniform_int_distribution<int> moment{20, 1200};
  for (int i = 0; i < 8; ++i) {
    const auto running = start_load(folder_, load(uri, "100000"));
    EXPECT_FALSE(running.program->ended_within(moment(random)));
    running.program->signal(SIGKILL);
    EXPECT_EQ(running.program->wait(), 128 + SIGKILL);
    EXPECT_EQ(state("verify", {}), 0);
  }
  const auto last = run_load(folder_, load(uri, "20"));
  EXPECT_EQ(last.status, 0);
  // It ends when no call is up any more; one that was taken back has failed for it.
  answering.program->signal(SIGINT);
  EXPECT_LE(answering.program->wait(), 1);
  const auto invites = invites_in(trace);
  const auto all = exported();
  EXPECT_GT(invites.size(), 200U);
  EXPECT_TRUE(all.rising);
  EXPECT_EQ(all.ids.size(), all.lines) << "a record is doubled";
  EXPECT_EQ(all.by_call_id.size(), all.lines) << "a call has two records";
  for (const auto& [call_id, branches] : invites) {
    EXPECT_EQ(branches.size(), 1U) << "an attempt was made twice: " << call_id;
    EXPECT_EQ(all.by_call_id.count(call_id), 1U) << "a record is lost: " << call_id;
  }
  std::string list;
  EXPECT_EQ(state("list", {"--json"}, &list), 0);
  EXPECT_EQ(state("verify", {}), 0);
}

TEST_F(kept_state, a_run_without_a_peer_of_its_own_has_its_calls_closed_at_the_next_start) {
  for (int i = 0; i < 2; ++i) {
    const auto running = start_load(folder_, {"--calls", "3000", "--rate", "300", "--duration", "1",
                                              "--media", "none", "--state", directory_});
    EXPECT_FALSE(running.program->ended_within(1500));
    running.program->signal(SIGKILL);
    EXPECT_EQ(running.program->wait(), 128 + SIGKILL);
    EXPECT_EQ(state("verify", {}), 0);
  }
  const auto all = exported();
  EXPECT_GT(all.lines, 300U);
  EXPECT_EQ(all.ids.size(), all.lines);
  EXPECT_TRUE(all.rising);
}

TEST_F(kept_state, registrations_that_a_crash_left_are_removed_by_the_next_start) {
  const auto users = folder_.write("users.csv", "user,password\nalice,a1\nbob,b2\ncarol,c3\n");
  auto answering =
    start_answerer(folder_, "udp:127.0.0.1:0", {"--media", "none", "--users", users});
  const auto uri = sip_uri("x", answering.port);
  const arguments registering{uri,        "--flow",     "register", "--users", users,
                              "--calls",  "3",          "--rate",   "100",     "--state",
                              directory_, "--duration", "1h"};
  const auto running = start_load(folder_, registering);
  EXPECT_FALSE(running.program->ended_within(1500));
  running.program->signal(SIGKILL);
  EXPECT_EQ(running.program->wait(), 128 + SIGKILL);
  EXPECT_EQ(state("verify", {}), 0);
  std::string list;
  EXPECT_EQ(state("list", {"--json"}, &list), 0);
  EXPECT_EQ(nlohmann::json::parse(list).at("registrations"), 3);

  const auto stranger = run_load(folder_, load(uri, "1"));
  EXPECT_EQ(stranger.summary.at("calls").at("completed"), 1);
  EXPECT_THAT(
    stranger.program->standard_error(),
    HasSubstr("0 registrations were removed, 0 had expired, 0 were refused, 3 could not"));
  auto again = registering;
  *std::find(again.begin(), again.end(), "1h") = "100ms";
  const auto outcome = run_load(folder_, again);
  EXPECT_EQ(outcome.summary.at("registrations").at("succeeded"), 3);
  EXPECT_THAT(
    outcome.program->standard_error(),
    HasSubstr("3 registrations were removed, 0 had expired, 0 were refused, 0 could not"));
  EXPECT_EQ(state("list", {"--json"}, &list), 0);
  EXPECT_EQ(nlohmann::json::parse(list).at("registrations"), 0);
  EXPECT_EQ(answering.finish().at("registrations").at("current"), 0);
}

TEST_F(kept_state, registrations_that_expired_or_that_are_to_be_forgotten_are_erased) {
  for (const bool forgets : {false, true}) {
    {
      auto store = storage::rocks_store::open(directory_);
      ASSERT_TRUE(store) << store.error().why.to_string();
      storage::run_record cut_off;
      cut_off.kind = "load";
      cut_off.started = std::chrono::system_clock::now();
      const auto run = storage::begin_run(**store, cut_off);
      ASSERT_TRUE(run) << run.error().why.to_string();
      storage::registration_record made;
      made.aor = "sip:alice@127.0.0.1";
      if (forgets)
        made.until = std::chrono::system_clock::now() + std::chrono::hours{1};
      storage::batch b;
      b.put(storage::keyspace::registrations, storage::registration_key({*run, 0}), pack(made));
      ASSERT_TRUE((*store)->write(b, storage::durability::async));
    }
    arguments words{"--calls", "1", "--duration", "50ms", "--media", "none", "--state", directory_};
    if (forgets) {
      auto answering = start_answerer(folder_, "udp:127.0.0.1:0", {"--state", directory_});
      EXPECT_TRUE(answering.program->wait_for("1 registration is left at the registrar"));
      (void)answering.finish();
      words.insert(words.end(), {"--recover", "forget"});
    }
    const auto outcome = run_load(folder_, words);
    EXPECT_EQ(outcome.summary.at("calls").at("completed"), 1);
    EXPECT_THAT(outcome.program->standard_error(),
                HasSubstr(forgets ? "forgot 1 registration"
                                  : "0 registrations were removed, 1 had expired, "));
    std::string list;
    EXPECT_EQ(state("list", {"--json"}, &list), 0);
    EXPECT_EQ(nlohmann::json::parse(list).at("registrations"), 0);
  }
}

TEST_F(kept_state, a_run_of_registrations_does_not_go_on) {
  process resuming{"resuming",
                   folder_,
                   {JACKFIELD_PROGRAM, "load", "sip:127.0.0.1:9", "--flow", "register", "--state",
                    directory_, "--resume"}};
  EXPECT_EQ(resuming.wait(), 2);
  EXPECT_EQ(resuming.standard_error(),
            "--resume: only runs of calls go on, expected --flow call\n");
}

TEST_F(kept_state, of_two_engines_on_one_directory_the_second_is_refused) {
  auto answering = start_answerer(folder_, "udp:127.0.0.1:0", {"--state", directory_});
  process second{
    "second",
    folder_,
    {JACKFIELD_PROGRAM, "load", "--calls", "1", "--media", "none", "--state", directory_}};
  EXPECT_EQ(second.wait(), 11);
  EXPECT_THAT(second.standard_error(), HasSubstr("another engine uses it"));
  EXPECT_EQ(state("verify", {}), 0) << "a look is no second engine";
  (void)answering.finish();
}

TEST_F(kept_state, answered_calls_are_kept_too) {
  auto answering =
    start_answerer(folder_, "udp:127.0.0.1:0", {"--media", "none", "--state", directory_});
  const auto outcome = run_load(folder_, {sip_uri("x", answering.port), "--calls", "30", "--rate",
                                          "100", "--duration", "100ms", "--media", "none"});
  EXPECT_EQ(outcome.status, 0);
  (void)answering.finish();
  const auto all = exported();
  EXPECT_EQ(all.lines, 30U);
  for (const auto& [call_id, record] : all.by_call_id) {
    EXPECT_EQ(record.at("direction"), "incoming");
    EXPECT_EQ(record.at("cause"), "completed");
    EXPECT_TRUE(record.at("attempt").is_null());
  }
}

TEST_F(kept_state, what_is_kept_durably_is_kept) {
  const auto outcome =
    run_load(folder_, {"--calls", "50", "--rate", "100", "--duration", "100ms", "--media", "none",
                       "--state", directory_, "--state-durable"});
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(exported().lines, 50U);
}

} // namespace
} // namespace jackfield::tests
