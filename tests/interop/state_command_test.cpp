#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "storage/records.hpp"
#include "storage/rocks_store.hpp"
#include "tests/interop/process.hpp"

namespace jackfield::tests {
namespace {

using storage::keyspace;
using storage::rocks_store;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

constexpr storage::wall_time began{std::chrono::seconds{1'767'323'045}}; // 2026-01-02T03:04:05Z

struct outcome_of_command {
  int status;
  std::string out;
  std::string err;
};

/// A run that ended with two calls, and one that goes on with a call up.
class state_command : public testing::Test {
protected:
  state_command() {
    auto opened = rocks_store::open(folder_.path() / "state");
    if (!opened) {
      ADD_FAILURE() << opened.error().why.to_string();
      return;
    }
    engine_ = std::move(*opened);
    storage::run_record ended;
    ended.kind = "load";
    ended.command = "jackfield load --calls 2";
    ended.started = began;
    ended.ended = began + std::chrono::seconds{9};
    storage::run_record going;
    going.kind = "answer";
    going.command = "jackfield answer";
    going.started = began + std::chrono::seconds{10};
    storage::batch b;
    b.put(keyspace::runs, storage::run_key(1), pack(ended));
    b.put(keyspace::runs, storage::run_key(2), pack(going));
    for (const uint64_t i : {0, 1}) {
      storage::call_ended call;
      call.call = {1, i};
      call.call_id = "id-" + std::to_string(i);
      call.started = began;
      call.ended = began + std::chrono::seconds{i};
      call.cause = i == 0 ? "" : "timeout";
      b.put(keyspace::events, storage::event_key(i + 1),
            pack(storage::event_record{call.ended, call}));
    }
    storage::call_record up;
    up.incoming = true;
    up.call_id = "up";
    up.started = began;
    b.put(keyspace::calls, storage::key_of({2, 7}), pack(up));
    write(b);
  }

  void write(const storage::batch& b) {
    if (auto done = engine_->write(b, storage::durability::async); !done)
      ADD_FAILURE() << done.error().why.to_string();
  }

  outcome_of_command state(const std::vector<std::string>& arguments) {
    std::vector<std::string> all{JACKFIELD_PROGRAM, "state"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    process program{"state" + std::to_string(++commands_), folder_, all};
    const int status = program.wait();
    return {status, program.standard_output(), program.standard_error()};
  }

  [[nodiscard]] std::string directory() const { return folder_.file("state"); }

  scratch_folder folder_;
  std::unique_ptr<rocks_store> engine_; ///< has the store open, as an engine that runs
  int commands_ = 0;
};

TEST_F(state_command, lists_runs_while_an_engine_runs_and_after_it_was_cut_off) {
  auto listed = state({"list", directory()});
  EXPECT_EQ(listed.status, 0) << listed.err;
  EXPECT_THAT(listed.out, HasSubstr("    1  load    2026-01-02T03:04:05.000Z  "
                                    "2026-01-02T03:04:14.000Z            2          0  "
                                    "jackfield load --calls 2\n"));
  EXPECT_THAT(listed.out, HasSubstr("    2  answer  2026-01-02T03:04:15.000Z  under way "));
  EXPECT_THAT(listed.out, HasSubstr("2 runs, 2 calls finished, 1 under way\n"));
  engine_.reset();
  listed = state({"list", directory(), "--json"});
  const auto json = nlohmann::json::parse(listed.out);
  EXPECT_EQ(json["runs"][0]["state"], "ended");
  EXPECT_EQ(json["runs"][1]["state"], "cut off");
  EXPECT_EQ(json["runs"][1]["calls_under_way"], 1);
  EXPECT_EQ(json["calls_finished"], 2);
}

TEST_F(state_command, shows_a_run_and_calls) {
  EXPECT_THAT(state({"show", directory(), "1"}).out, HasSubstr("jackfield load --calls 2\n"));
  const auto finished = nlohmann::json::parse(state({"show", directory(), "1-1", "--json"}).out);
  EXPECT_EQ(finished["state"], "finished");
  EXPECT_EQ(finished["cause"], "timeout");
  EXPECT_EQ(finished["seq"], 2);
  EXPECT_THAT(state({"show", directory(), "2-7"}).out, HasSubstr("not answered yet\n"));
  const auto absent = state({"show", directory(), "1-2"});
  EXPECT_EQ(absent.status, 1);
  EXPECT_EQ(absent.err, directory() + ": has no call or registration 1-2\n");
}

TEST_F(state_command, tells_of_registrations_that_are_not_over) {
  storage::registration_record made;
  made.aor = "sip:alice@example.com";
  made.contact = "<sip:192.0.2.7:5060>";
  made.cseq = 3;
  made.started = began;
  made.until = began + std::chrono::hours{1};
  storage::batch b;
  b.put(keyspace::registrations, storage::registration_key({1, 5}), pack(made));
  write(b);
  EXPECT_THAT(state({"list", directory()}).out,
              HasSubstr("2 runs, 2 calls finished, 1 under way, 1 registration\n"));
  const auto listed = nlohmann::json::parse(state({"list", directory(), "--json"}).out);
  EXPECT_EQ(listed["runs"][0]["registrations"], 1);
  EXPECT_EQ(listed["registrations"], 1);
  const auto shown = nlohmann::json::parse(state({"show", directory(), "1-5", "--json"}).out);
  EXPECT_EQ(shown["address"], "sip:alice@example.com");
  EXPECT_EQ(shown["state"], "not registered yet");
  EXPECT_EQ(shown["cseq"], 3);
  EXPECT_THAT(state({"show", directory(), "1-5"}).out, HasSubstr("<sip:192.0.2.7:5060>\n"));
  EXPECT_THAT(state({"verify", directory()}).out, HasSubstr("1 under way, 1 registration, "));
}

TEST_F(state_command, exports_to_a_file_and_to_standard_output) {
  const auto printed = state({"export", directory(), "--cdrs", "--from", "2"});
  EXPECT_EQ(printed.status, 0) << printed.err;
  EXPECT_THAT(printed.out, StartsWith(R"({"seq":2,"id":"1-1","call_id":"id-1",)"));
  EXPECT_EQ(std::ranges::count(printed.out, '\n'), 1);
  const auto file = folder_.file("calls.csv");
  const auto written =
    state({"export", directory(), "--cdrs", "--format", "csv", "--output", file});
  EXPECT_EQ(written.status, 0) << written.err;
  EXPECT_THAT(written.out, IsEmpty());
  std::ifstream lines{file};
  std::string header;
  std::getline(lines, header);
  EXPECT_THAT(header, StartsWith("seq,id,call_id,"));
  const auto full = state({"export", directory(), "--cdrs", "--output", "/dev/full"});
  EXPECT_EQ(full.status, static_cast<int>(storage::fault_kind::disk_full)) << full.err;
}

TEST_F(state_command, verifies_and_says_what_is_wrong) {
  auto verified = state({"verify", directory()});
  EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
  EXPECT_EQ(verified.out, directory() + ": is sound: 2 runs, 2 calls finished, 1 under way, "
                                        "events 1 to 2\n");
  storage::batch b;
  b.put(keyspace::events, storage::event_key(4), pack(storage::event_record{}));
  write(b);
  verified = state({"verify", directory()});
  EXPECT_EQ(verified.status, static_cast<int>(storage::fault_kind::corrupt));
  EXPECT_THAT(verified.out, StartsWith("event 4: "));
  EXPECT_THAT(verified.err, HasSubstr("is not sound"));
}

TEST_F(state_command, copies_beside_an_engine_and_back) {
  const auto copy = folder_.file("copy");
  const auto back = folder_.file("back");
  EXPECT_EQ(state({"checkpoint", directory(), copy}).status, 0);
  EXPECT_EQ(state({"restore", copy, back}).status, 0);
  EXPECT_EQ(state({"export", back, "--events"}).out,
            state({"export", directory(), "--events"}).out);
  const auto again = state({"restore", copy, back});
  EXPECT_EQ(again.status, static_cast<int>(storage::fault_kind::in_use));
  EXPECT_THAT(again.err, StartsWith(back + ": "));
}

TEST_F(state_command, compacts_when_no_engine_runs) {
  EXPECT_EQ(state({"compact", directory()}).status, static_cast<int>(storage::fault_kind::in_use));
  engine_.reset();
  const auto done = state({"compact", directory()});
  EXPECT_EQ(done.status, 0) << done.err;
  EXPECT_EQ(state({"verify", directory()}).status, 0);
}

TEST_F(state_command, says_where_there_is_no_store_and_makes_none) {
  const auto nowhere = folder_.file("nowhere");
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"list", nowhere},
                                                    {"verify", nowhere},
                                                    {"compact", nowhere},
                                                    {"restore", nowhere, folder_.file("other")},
                                                    {"export", nowhere, "--cdrs"}}) {
    const auto done = state(arguments);
    EXPECT_EQ(done.status, static_cast<int>(storage::fault_kind::missing)) << arguments.front();
    EXPECT_THAT(done.err, StartsWith(nowhere + ": ")) << arguments.front();
  }
  EXPECT_FALSE(std::filesystem::exists(nowhere));
  EXPECT_FALSE(std::filesystem::exists(folder_.file("other")));
}

TEST_F(state_command, refuses_wrong_words_with_one_line) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{},
        {"frob"},
        {"list", ""},
        {"list", "a", "b"},
        {"show"},
        {"show", directory(), "x"},
        {"show", directory(), "1-"},
        {"show", directory(), "0"},
        {"export", directory()},
        {"export", directory(), "--cdrs", "--events"},
        {"export", directory(), "--events", "--format", "csv"},
        {"export", directory(), "--cdrs", "--format", "xml"},
        {"export", directory(), "--cdrs", "--from", "0"},
        {"export", directory(), "--cdrs", "--output", folder_.file("no/such")},
        {"checkpoint"}}) {
    const auto done = state(arguments);
    const auto shown = testing::PrintToString(arguments);
    EXPECT_EQ(done.status, 2) << shown << done.err;
    EXPECT_EQ(std::ranges::count(done.err, '\n'), 1) << shown << done.err;
    EXPECT_THAT(done.out, IsEmpty()) << shown;
  }
}

} // namespace
} // namespace jackfield::tests
