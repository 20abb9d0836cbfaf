#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/interop/http_client.hpp"
#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

using json = nlohmann::json;

/// How often it is killed; a longer test says so in its environment.
int wanted_kills() {
  const char* const said = std::getenv("JACKFIELD_SERVE_KILLS");
  return said == nullptr ? 3 : std::atoi(said);
}

/// `jackfield serve --state` with one queue, whose callers hear silence, so many agents who take
/// calls, and two who do not: paula, who is to be paused, and lou, who is to be logged out.
class killed_centre : public testing::Test {
protected:
  static constexpr size_t workers = 32;

  killed_centre() : sip_(free_port()), api_(free_port()) {
    std::string config = "[server]\nlisten = [\"udp:127.0.0.1:" + std::to_string(sip_) +
                         "\"]\nlanes = 2\n[api]\nlisten = \"127.0.0.1:" + std::to_string(api_) +
                         "\"\n";
    std::string users = "user,password\n";
    for (size_t i = 0; i < workers; ++i)
      names_.push_back("agent" + std::to_string(i));
    for (const auto& name : names_)
      add(config, users, name);
    add(config, users, "paula");
    add(config, users, "lou");
    config += "[[queue]]\nname = \"support\"\nnumbers = [\"100\"]\nmembers = \"all\"\n"
              "music = \"silence\"\n";
    config_ = folder_.write("centre.toml", config);
    users_ = folder_.write("agents.csv", users);
  }
  static void add(std::string& config, std::string& users, const std::string& name) {
    config +=
      "[[agent]]\nname = \"" + name + "\"\npassword = \"pw-" + name + "\"\nwrap_up = \"300ms\"\n";
    users += name + ",pw-" + name + "\n";
  }

  void start() {
    program_ = std::make_unique<process>(
      "serve" + std::to_string(++starts_), folder_,
      arguments{JACKFIELD_PROGRAM, "serve", "-c", config_, "--state", directory_});
    ASSERT_TRUE(program_->wait_for("serving ")) << "it did not start";
    if (token_.empty())
      std::getline(std::ifstream{folder_.file("api-token")}, token_);
  }
  void kill_9() {
    program_->signal(SIGKILL);
    EXPECT_EQ(program_->wait(), 128 + SIGKILL);
  }
  void start_phones() {
    phones_ = std::make_unique<process>("phones", folder_,
                                        arguments{JACKFIELD_PROGRAM, "answer", "--users", users_,
                                                  "--register", "sip:" + loopback(sip_),
                                                  "--duration", "2s", "--media", "rtp"});
    ASSERT_TRUE(phones_->wait_for("registered ")) << "no phone is registered";
  }
  [[nodiscard]] arguments callers(const std::string& count, const std::string& lines) const {
    return {
      sip_uri("100", sip_), "-m",       count,      "-r",   "20",           "--duration", "120s",
      "--callee-hangs-up",  "expected", "--codecs", "PCMU", "--calls-file", lines};
  }

  [[nodiscard]] json get(const std::string& target) const {
    const auto said = ask(api_, {"GET", target, {"Authorization: Bearer " + token_}});
    EXPECT_EQ(said.status, 200) << target << ": " << said.body;
    return said.json();
  }
  void put_state(const std::string& agent, const std::string& state) const {
    const auto said =
      ask(api_, {"PUT",
                 "/v1/agents/" + agent + "/state",
                 {"Authorization: Bearer " + token_, "Content-Type: application/json"},
                 state});
    EXPECT_EQ(said.status, 200) << said.body;
  }
  [[nodiscard]] std::vector<std::string> line() const {
    std::vector<std::string> ids;
    const auto queue = get("/v1/queues/support?limit=1000");
    for (const auto& call : queue.at("calls"))
      ids.push_back(call.at("call_id"));
    return ids;
  }
  [[nodiscard]] std::map<std::string, json> agents() const {
    std::map<std::string, json> all;
    const auto told = get("/v1/agents?limit=1000");
    for (const auto& each : told.at("agents"))
      all.emplace(each.at("name"), each);
    return all;
  }
  /// Calls that agents had when it was killed, and have still, since this was asked last. Events
  /// are kept for some time only.
  [[nodiscard]] size_t talked_on() {
    for (size_t count = 0;;) {
      const auto told = get("/v1/events?limit=1000&after=" + std::to_string(heard_until_));
      count += static_cast<size_t>(std::ranges::count_if(
        told.at("events"), [](const json& each) { return each.at("event") == "call.resumed"; }));
      if (told.at("events").empty())
        return count;
      heard_until_ = told.at("next").get<uint64_t>();
    }
  }
  /// Until nobody waits and nobody talks: whoever is stuck keeps that from coming.
  void wait_until_idle() const {
    for (std::string seen;;) { // numbers go on from start to start
      const auto all = agents();
      const bool idle = std::ranges::all_of(
        names_, [&](const auto& name) { return all.at(name).at("state") == "ready"; });
      if (idle && line().empty())
        return;
      const auto told = get("/v1/events?wait=30&limit=1000" + seen);
      ASSERT_FALSE(told.at("events").empty()) << "stuck";
      seen = "&after=" + std::to_string(told.at("next").get<uint64_t>());
    }
  }
  std::vector<json> exported() {
    process program{"state", folder_, {JACKFIELD_PROGRAM, "state", "export", directory_, "--cdrs"}};
    EXPECT_EQ(program.wait(), 0);
    std::vector<json> all;
    std::istringstream lines{program.standard_output()};
    for (std::string one; std::getline(lines, one);)
      all.push_back(json::parse(one));
    return all;
  }

  scratch_folder folder_;
  std::string directory_ = folder_.file("state");
  std::vector<std::string> names_;
  std::string config_;
  std::string users_;
  std::string token_;
  std::unique_ptr<process> program_;
  std::unique_ptr<process> phones_;
  uint16_t sip_;
  uint16_t api_;
  int starts_ = 0;
  uint64_t heard_until_ = 0; // of events
};

/// Those of `first` that are in `second`, too, in the order of `first`.
std::vector<std::string> common(const std::vector<std::string>& first,
                                const std::vector<std::string>& second) {
  const std::set<std::string> known{second.begin(), second.end()};
  std::vector<std::string> both;
  std::ranges::copy_if(first, std::back_inserter(both),
                       [&](const auto& each) { return known.contains(each); });
  return both;
}

TEST_F(killed_centre, loses_no_record_keeps_the_line_and_agents_states_and_leaves_nobody_stuck) {
  const int kills = wanted_kills();
  start();
  start_phones();
  put_state("paula", R"({"state": "paused", "reason": "lunch"})");
  put_state("lou", R"({"state": "logged_out"})");
  const auto lines = folder_.file("calls.jsonl");
  auto load = start_load(folder_, callers(std::to_string(20 * (3 * kills + 2)), lines));
  uint64_t resumed = 0, went_on = 0;
  for (int i = 0; i < kills; ++i) {
    EXPECT_FALSE(load.program->ended_within(2500));
    const auto before = line();
    const auto were = agents();
    kill_9();
    start();
    ASSERT_TRUE(program_->wait_for(" on, the slowest after ")) << "nobody waited on";
    const auto after = line();
    const auto still = common(before, after);
    EXPECT_EQ(still, common(after, before)) << "the line's order is another";
    resumed += still.size();
    went_on += talked_on();
    const auto are = agents();
    EXPECT_EQ(are.at("paula").at("state"), "paused");
    EXPECT_EQ(are.at("paula").at("pause_reason"), "lunch");
    EXPECT_EQ(are.at("lou").at("state"), "logged_out");
    // A call that it was given in the last 0.1 s may be in no record yet: its caller waits again.
    for (const auto& name : names_)
      EXPECT_GE(are.at(name).at("calls_answered").get<int>() + 1,
                were.at(name).at("calls_answered").get<int>())
        << name;
  }
  EXPECT_GT(resumed, 0U) << "callers who waited on";
  EXPECT_GT(went_on, 0U) << "calls that agents had, and that went on";
  (void)load.finish();
  wait_until_idle();
  const auto were = agents();
  const auto last = run_load(folder_, callers(std::to_string(3 * workers), folder_.file("last")));
  EXPECT_EQ(last.summary.at("calls").at("completed"), 3 * workers) << last.summary.at("failures");
  wait_until_idle();
  const auto are = agents();
  for (const auto& name : names_)
    EXPECT_GT(are.at(name).at("calls_answered"), were.at(name).at("calls_answered"))
      << name << " is stuck";
  program_->signal(SIGTERM);
  EXPECT_EQ(program_->wait(), 0);
  phones_->signal(SIGINT);
  (void)phones_->wait();

  process verify{"verify", folder_, {JACKFIELD_PROGRAM, "state", "verify", directory_}};
  EXPECT_EQ(verify.wait(), 0) << verify.standard_output();
  std::set<std::string> ids;
  std::map<std::string, int> of;
  size_t taken = 0;
  std::map<std::string, int> without; // an agent
  const auto all = exported();
  for (const auto& record : all) {
    EXPECT_TRUE(ids.insert(record.at("id")).second) << record;
    if (record.at("direction") != "incoming")
      continue;
    ++of[record.at("call_id")];
    EXPECT_EQ(record.at("queue"), "support") << record;
    taken += !record.at("agent").is_null();
    if (record.at("agent").is_null())
      ++without[record.at("cause").get<std::string>() + ", left: \"" +
                record.at("left").get<std::string>() + "\""];
    if (record.at("left") == "answered") {
      EXPECT_FALSE(record.at("agent").is_null()) << record;
    }
  }
  size_t answered = 0;
  for (const auto& file : {lines, folder_.file("last")})
    for (const auto& text : lines_of(file)) {
      const auto call = json::parse(text);
      const auto records = of[call.at("call_id")];
      EXPECT_LE(records, 1) << "doubled: " << text;
      if (call.at("status") == 200) {
        ++answered;
        EXPECT_EQ(records, 1) << "lost: " << text;
      }
    }
  EXPECT_GT(answered, 20U * static_cast<unsigned>(kills));
  EXPECT_GT(taken, 0U);
  RecordProperty("answered", static_cast<int>(answered));
  RecordProperty("waited_on", static_cast<int>(resumed));
  RecordProperty("talked_on", static_cast<int>(went_on));
  std::fprintf(stderr,
               "%d kills: %zu calls were answered, each has one record; %llu times a caller "
               "waited on in place; %zu had an agent, %llu of these across a kill\n",
               kills, answered, static_cast<unsigned long long>(resumed), taken,
               static_cast<unsigned long long>(went_on));
  for (const auto& [how, times] : without)
    std::fprintf(stderr, "  %d without an agent: %s\n", times, how.c_str());
}

} // namespace
} // namespace jackfield::tests
