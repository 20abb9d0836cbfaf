#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/interop/peers.hpp"

namespace jackfield::tests {
namespace {

using json = nlohmann::json;

constexpr std::string_view agents_tone = "tone:880";
constexpr std::string_view callers_tone = "tone:620";

/// `jackfield serve` with one queue, "support", whose callers hear nothing, and so many agents.
class served_centre {
public:
  served_centre(const scratch_folder& folder, size_t agents, const std::string& more = {})
      : folder_(folder) {
    std::string config = "[server]\nlisten = [\"udp:127.0.0.1:0\", \"wss:127.0.0.1:0\"]\n"
                         "lanes = 2\n";
    std::string users = "user,password\n";
    for (size_t i = 0; i < agents; ++i) {
      const auto name = "agent" + std::to_string(i);
      config += "[[agent]]\nname = \"" + name + "\"\npassword = \"pw-" + name + "\"\n";
      users += name + ",pw-" + name + "\n";
    }
    config += "[[queue]]\nname = \"support\"\nnumbers = [\"100\"]\nmembers = \"all\"\n"
              "music = \"silence\"\n" +
              more;
    users_ = folder.write("agents.csv", users);
    program_ = std::make_unique<process>(
      "serve", folder,
      arguments{JACKFIELD_PROGRAM, "serve", "-c", folder.write("centre.toml", config), "--events",
                events_file(), "--queue-log", queue_log_file(), "--state", state_directory()});
    udp_ = port_in(program_->wait_for_rest_of_line("listening on UDP "));
    wss_ = port_in(program_->wait_for_rest_of_line("listening on WSS "));
    EXPECT_NE(udp_, 0);
    EXPECT_NE(wss_, 0);
  }

  /// Phones of all agents, by `jackfield answer`, once all are registered.
  std::unique_ptr<process> start_phones(const arguments& more) {
    arguments command{
      JACKFIELD_PROGRAM,        "answer", "--users", users_,        "--audio",
      std::string{agents_tone}, "--hear", "--json",  phones_file(), "--expect-sound",
      std::string{callers_tone}};
    command.insert(command.end(), more.begin(), more.end());
    auto phones = std::make_unique<process>("phones", folder_, command);
    EXPECT_TRUE(phones->wait_for("registered ")) << "no phone is registered";
    return phones;
  }

  [[nodiscard]] std::string number() const { return sip_uri("100", udp_); }
  [[nodiscard]] uint16_t udp() const noexcept { return udp_; }
  [[nodiscard]] uint16_t wss() const noexcept { return wss_; }
  [[nodiscard]] std::string events_file() const { return folder_.file("events.jsonl"); }
  [[nodiscard]] std::string queue_log_file() const { return folder_.file("queue_log"); }
  [[nodiscard]] std::string state_directory() const { return folder_.file("state"); }
  [[nodiscard]] std::string phones_file() const { return folder_.file("phones.json"); }

  /// Lets it drain.
  void finish() {
    program_->signal(SIGTERM);
    EXPECT_EQ(program_->wait(), 0);
  }

  /// How often each kind of event befell each call, and what else is to hold of the records: the
  /// queue_log and the CDRs say the same, and no agent has two calls at once.
  void expect_accounted(uint64_t calls, uint64_t answered) const {
    std::map<std::string, std::map<std::string, int>> of;
    std::map<std::string, std::string> state;
    uint64_t seq = 0;
    for (const auto& line : lines_of(events_file())) {
      const auto event = json::parse(line);
      EXPECT_EQ(event.at("seq"), ++seq);
      const std::string what = event.at("event");
      if (what != "agent.state") {
        ++of[event.at("call_id")][what];
        continue;
      }
      auto& known = state[event.at("agent")];
      EXPECT_EQ(event.at("before"), known.empty() ? "logged_out" : known) << line;
      known = event.at("state");
      if (known == "in_call") {
        EXPECT_EQ(event.at("before"), "answered") << line;
      }
    }
    EXPECT_EQ(of.size(), calls);
    uint64_t completed = 0;
    for (auto& [id, counts] : of) {
      EXPECT_EQ(counts["call.entered"], 1) << id;
      EXPECT_EQ(counts["call.connected"] + counts["call.abandoned"] + counts["call.overflowed"], 1)
        << id;
      EXPECT_EQ(counts["call.completed"], counts["call.connected"]) << id;
      completed += static_cast<uint64_t>(counts["call.completed"]);
    }
    EXPECT_EQ(completed, answered);
    std::map<std::string, uint64_t> verbs;
    for (const auto& line : lines_of(queue_log_file())) {
      auto rest = line;
      for (int i = 0; i < 4; ++i)
        rest.erase(0, rest.find('|') + 1);
      ++verbs[rest.substr(0, rest.find('|'))];
    }
    EXPECT_EQ(verbs["ENTERQUEUE"], calls);
    EXPECT_EQ(verbs["CONNECT"], answered);
    EXPECT_EQ(verbs["COMPLETECALLER"] + verbs["COMPLETEAGENT"], answered);
    EXPECT_EQ(verbs["ABANDON"] + verbs["EXITWITHTIMEOUT"] + verbs["EXITEMPTY"], calls - answered);
    std::map<std::string, std::string> left; // by Call-ID, of the callers' legs
    uint64_t took = 0;
    for (const auto& cdr : exported_cdrs()) {
      if (cdr.at("queue").is_null())
        continue; // an agent's leg
      EXPECT_TRUE(left.emplace(cdr.at("call_id"), cdr.at("left")).second) << "twice: " << cdr;
      EXPECT_TRUE(of.contains(cdr.at("call_id"))) << "no event tells of it: " << cdr;
      took += cdr.at("left") == "answered" ? 1 : 0;
    }
    EXPECT_EQ(left.size(), calls);
    EXPECT_EQ(took, answered);
  }

private:
  [[nodiscard]] std::vector<json> exported_cdrs() const {
    process program{
      "export", folder_, {JACKFIELD_PROGRAM, "state", "export", state_directory(), "--cdrs"}};
    EXPECT_EQ(program.wait(), 0);
    std::vector<json> all;
    std::istringstream lines{program.standard_output()};
    for (std::string one; std::getline(lines, one);)
      all.push_back(json::parse(one));
    return all;
  }

  const scratch_folder& folder_;
  std::string users_;
  std::unique_ptr<process> program_;
  uint16_t udp_ = 0;
  uint16_t wss_ = 0;
};

/// All callers heard agents and all agents callers: music is silence here.
void expect_heard_both_ways(const served_centre& centre, const load_outcome& load, process& phones,
                            uint64_t calls) {
  EXPECT_EQ(load.summary.at("calls").at("completed"), calls) << load.summary.at("failures");
  EXPECT_EQ(load.summary.at("calls").at("ended_by_callee"), calls);
  phones.signal(SIGINT);
  const auto status = phones.wait();
  EXPECT_TRUE(status == 0 || status == 4) << "the phones: status " << status;
  const auto heard = json::parse(std::ifstream{centre.phones_file()});
  EXPECT_EQ(heard.at("calls").at("completed"), calls) << heard.at("failures");
  EXPECT_EQ(heard.at("calls").at("failed"), 0) << heard.at("failures");
}

arguments callers(const served_centre& centre, uint64_t calls, const std::string& rate) {
  return {centre.number(),
          "-m",
          std::to_string(calls),
          "-r",
          rate,
          "--duration",
          "120s",
          "--callee-hangs-up",
          "expected",
          "--audio",
          std::string{callers_tone},
          "--codecs",
          "PCMU",
          "--expect-sound",
          std::string{agents_tone}};
}

TEST(serve, phones_over_udp_take_callers_in_turn) {
  const scratch_folder folder;
  served_centre centre{folder, 3};
  const auto phones =
    centre.start_phones({"--register", "sip:127.0.0.1:" + std::to_string(centre.udp()),
                         "--duration", "2s", "--media", "rtp"});
  const auto load = run_load(folder, callers(centre, 9, "9"));
  expect_heard_both_ways(centre, load, *phones, 9);
  centre.finish();
  centre.expect_accounted(9, 9);
}

// Opus over DTLS-SRTP and WSS on one side, PCMU on the other.
TEST(serve, two_hundred_browsers_take_callers_over_udp) {
  const scratch_folder folder;
  served_centre centre{folder, 200};
  const auto phones = centre.start_phones(
    {"--register", "sip:127.0.0.1:" + std::to_string(centre.wss()) + ";transport=wss", "--insecure",
     "--duration", "4s", "--media", "webrtc", "--codecs", "opus", "--register-rate", "100"});
  const auto load = run_load(folder, callers(centre, 1200, "10"));
  expect_heard_both_ways(centre, load, *phones, 1200);
  centre.finish();
  centre.expect_accounted(1200, 1200);
}

// Whoever reads that it listens may end it: from then on a signal is heard.
// FS#1968, AST#1006: what a reload says is in force at once, and calls that are up go on.
TEST(serve, a_reload_in_mid_call_changes_agents_and_queues_alone) {
  const scratch_folder folder;
  const std::string server = "[server]\nlisten = [\"udp:127.0.0.1:0\"]\nlanes = 2\n";
  const std::string alice = "[[agent]]\nname = \"alice\"\n";
  const std::string queue = "[[queue]]\nname = \"support\"\nmembers = \"all\"\n";
  const auto file = folder.write("centre.toml", server + alice + queue);
  process centre{"serve", folder,
                 arguments{JACKFIELD_PROGRAM, "serve", "-c", file, "--events", "/dev/stdout"}};
  const auto port = port_in(centre.wait_for_rest_of_line("listening on UDP "));
  const auto phone_of = [&](const std::string& name) {
    return arguments{
      JACKFIELD_PROGRAM, "answer",
      "--register",      sip_uri("", port),
      "--users",         folder.write(name + ".csv", "user,password\n" + name + ",x\n"),
      "--json",          folder.file(name + ".json")};
  };
  process alices{"alice", folder, phone_of("alice")};
  ASSERT_TRUE(alices.wait_for("registered "));
  process bobs{"bob", folder, phone_of("bob")};
  ASSERT_TRUE(bobs.wait_for("registered "));
  process caller{"caller", folder,
                 arguments{JACKFIELD_PROGRAM, "load", sip_uri("support", port), "-m", "1",
                           "--duration", "8s", "--json", folder.file("caller.json")}};
  ASSERT_TRUE(centre.wait_for("call.connected")) << "alice takes it";
  (void)folder.write("centre.toml", server + alice + "wrap_up = \"x\"\n" + queue);
  centre.signal(SIGHUP);
  EXPECT_TRUE(centre.wait_for("centre.toml:6: wrap_up: "));
  EXPECT_TRUE(centre.wait_for("nothing is changed"));
  (void)folder.write("centre.toml", server + "[[agent]]\nname = \"bob\"\n" + queue +
                                      "[[queue]]\nname = \"sales\"\nmembers = [\"bob\"]\n");
  centre.signal(SIGHUP);
  EXPECT_TRUE(centre.wait_for("reloaded: serving 2 queues and 1 agents"));
  process second{"second", folder,
                 arguments{JACKFIELD_PROGRAM, "load", sip_uri("sales", port), "-m", "1",
                           "--duration", "2s", "--json", folder.file("second.json")}};
  EXPECT_EQ(second.wait(), 0) << "bob's phone was there before he was an agent";
  EXPECT_EQ(caller.wait(), 0) << "its call is untouched, though alice is no agent any more";
  for (auto* const each : {&alices, &bobs, &centre}) {
    each->signal(SIGTERM);
    EXPECT_EQ(each->wait(), 0);
  }
  const auto events = centre.standard_output();
  size_t completed = 0;
  for (auto at = events.find("call.completed"); at != std::string::npos;
       at = events.find("call.completed", at + 1))
    ++completed;
  EXPECT_EQ(completed, 2U);
}

TEST(serve, a_signal_at_once_after_it_listens_ends_it_in_order) {
  const scratch_folder folder;
  for (int i = 0; i < 10; ++i)
    served_centre{folder, 1}.finish();
}

TEST(serve, what_is_wrong_with_a_configuration_is_said_with_its_line) {
  const scratch_folder folder;
  const auto check = [&](const std::string& config) {
    process program{
      "check", folder,
      arguments{JACKFIELD_PROGRAM, "serve", "--check", "-c", folder.write("centre.toml", config)}};
    EXPECT_EQ(program.wait(), 2) << config;
    return program.standard_error();
  };
  constexpr auto good = "[server]\nlisten = [\"udp:127.0.0.1:0\"]\n[[agent]]\nname = \"a\"\n";
  EXPECT_NE(check("[server\n").find("centre.toml:1: "), std::string::npos);
  EXPECT_NE(check(std::string{good} + "wrap_up = \"5x\"\n").find("centre.toml:5: wrap_up: "),
            std::string::npos);
  EXPECT_NE(check(std::string{good} + "skills = { german = 180 }\n")
              .find("centre.toml:5: german: expected a whole number from 1 to 100"),
            std::string::npos);
  const auto waiting =
    check(std::string{good} + "[[queue]]\nname = \"q\"\nmembers = \"all\"\n"
                              "announce = \"both\"\nneeds = [{ skill = \"german\", level = 60 },\n"
                              "{ after = \"30s\", level = 70 }]\nresume_place = \"2x\"\n");
  for (const auto* const place :
       {":8: announce: needs sounds", ":10: level: is not below the 60", ":11: resume_place: "})
    EXPECT_NE(waiting.find(place), std::string::npos) << waiting;
  const auto callback = check(
    std::string{good} + "[[queue]]\nname = \"q\"\nmembers = \"all\"\ncallback_key = \"1\"\n"
                        "[[queue]]\nname = \"r\"\nmembers = \"all\"\ncallback_retry = \"5m\"\n"
                        "[[queue]]\nname = \"s\"\nmembers = \"all\"\ncallback_key = \"x\"\n");
  for (const auto* const place : {":8: callback_key: needs sounds", ":12: callback_retry: says how",
                                  ":16: callback_key: is no key"})
    EXPECT_NE(callback.find(place), std::string::npos) << callback;
  EXPECT_NE(check(std::string{good} + "colour = 1\n").find("centre.toml:5: colour: is unknown"),
            std::string::npos);
  EXPECT_NE(check(std::string{good} + "[[queue]]\nname = \"q\"\nmembers = [\"b\"]\n")
              .find("centre.toml:7: members: \"b\" is no agent"),
            std::string::npos);
  EXPECT_NE(check("[server]\nlisten = [\"udp:0.0.0.0:0\"]\n[[agent]]\nname = \"a\"\n")
              .find("\"a\": has no password"),
            std::string::npos);
  const std::string open = "[server]\nlisten = [\"udp:0.0.0.0:0\"]\n[[agent]]\nname = \"a\"\n"
                           "password = \"p\"\n[[queue]]\nname = \"q\"\nmembers = \"all\"\n";
  EXPECT_NE(check(open).find("centre.toml: callers: is missing"), std::string::npos)
    << "who may call is to be said where others than this machine may";
  EXPECT_NE(
    check("[server]\ncallers = \"all\"\n").find("centre.toml:2: callers: \"all\" is unknown"),
    std::string::npos);
  const auto all = check(std::string{good} + "wrap_up = \"5x\"\n[[queue]]\nname = \"q\"\n"
                                             "members = \"all\"\nring = 7\nstrategy = \"best\"\n");
  for (const auto* const place : {":5: wrap_up", ":9: ring", ":10: strategy"})
    EXPECT_NE(all.find(place), std::string::npos) << "each fault is told: " << all;
}

TEST(serve, what_is_wrong_with_trunks_and_menus_is_said_with_its_line) {
  const scratch_folder folder;
  const auto check = [&](const std::string& config, int expected = 2) {
    process program{"check", folder,
                    arguments{JACKFIELD_PROGRAM, "serve", "--check", "-c",
                              folder.write("centre.toml",
                                           "[server]\nlisten = [\"udp:127.0.0.1:0\"]\n" + config)}};
    EXPECT_EQ(program.wait(), expected) << config;
    return program.standard_error();
  };
  const auto expect = [&](const std::string& config, const std::string& said) {
    const auto told = check(config);
    EXPECT_NE(told.find(said), std::string::npos) << "expected " << said << " in " << told;
  };
  const std::string trunk = "[[trunk]]\nname = \"t\"\nuri = \"sip:192.0.2.1\"\n"; // lines 3 to 5
  expect("[[trunk]]\nname = \"t\"\n", "centre.toml:3: uri: is missing");
  expect("[[trunk]]\nname = \"t\"\nuri = \"sip:a@192.0.2.1\"\n", ":5: uri: ");
  expect("[[trunk]]\nname = \"t\"\nuri = \"sip:192.0.2.1;transport=ws\"\n", ":5: uri: ");
  expect(trunk + "password = \"p\"\n", "user: is missing");
  expect(trunk + "from = [\"192.0.2.0/33\"]\n", ":6: from: ");
  expect(trunk + "from = [\"0.0.0.0/0\"]\n", "is everybody");
  expect(trunk + "allow = [\"agents\"]\n", ":6: allow: ");
  expect(trunk + "options_every = \"1s\"\n", ":6: options_every: expected 5s or more");
  expect(trunk + "ca = \"none.pem\"\n", ":6: ca: is of TLS");
  expect(trunk + trunk, ":7: name: \"t\" is a trunk already");
  expect(trunk + "[[route]]\nprefix = \"+\"\ntrunks = [\"u\"]\n", ":8: trunks: \"u\" is no trunk");
  expect(trunk + "[[route]]\nprefix = \"x\"\ntrunks = [\"t\"]\n", ":7: prefix: \"x\" is no number");
  expect(trunk + "[[route]]\nprefix = \"+\"\ntrunks = [\"t\"]\n", "expected a password for each");
  check(trunk + "[[route]]\nprefix = \"+\"\ntrunks = [\"t\"]\n"
                "[[agent]]\nname = \"a\"\npassword = \"p\"\n",
        0);
  const std::string menu = "[[menu]]\nname = \"m\"\nprompt = \"tone:440\"\n"; // lines 3 to 5
  expect(menu, ":3: digits: leads nowhere");
  expect(menu + "digits = { \"1\" = \"queue:q\" }\n", ":6: digits: there is no queue \"q\"");
  expect(menu + "digits = { \"1\" = \"agent:a\" }\n", ":6: digits: \"agent:a\" leads nowhere");
  expect(menu + "digits = { \"12\" = \"menu:m\" }\n", ":6: digits: \"12\" is no key");
  expect(menu + "digits = { \"x\" = \"menu:m\" }\n", "'x' is no key");
  expect("[[queue]]\nname = \"1\"\nmembers = \"all\"\n[[menu]]\nname = \"m\"\nnumbers = [\"1\"]\n"
         "prompt = \"none.wav\"\ndigits = { \"1\" = \"queue:1\" }\n",
         ":8: numbers: \"1\" is a number of queue \"1\" already");
  check(menu + "numbers = [\"5\"]\ndigits = { \"1\" = \"menu:m\" }\notherwise = \"hang_up\"\n", 0);
}

} // namespace
} // namespace jackfield::tests
