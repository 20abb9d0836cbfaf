// `jackfield simulate` as one calls it.

#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "tests/interop/process.hpp"

namespace jackfield::tests {
namespace {

struct said {
  int status = -1;
  std::string out;
  std::string err;
};

class simulate_command : public testing::Test {
protected:
  said run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {JACKFIELD_PROGRAM, "simulate"});
    process program{"simulate" + std::to_string(++runs_), folder_, arguments};
    const int status = program.wait();
    return {status, program.standard_output(), program.standard_error()};
  }
  /// What is wrong with a day of that text.
  std::string faults_of(std::string_view text) {
    const auto path = folder_.write("day.toml", text);
    const auto checked = run({"-c", path, "--check"});
    EXPECT_EQ(checked.status, checked.err.empty() ? 0 : 2);
    auto faults = checked.err;
    for (auto at = faults.find(path); at != std::string::npos; at = faults.find(path))
      faults.replace(at, path.size(), "day.toml");
    return faults;
  }

  scratch_folder folder_;
  std::string sample_day_ = std::filesystem::absolute("config/simulation.toml");
  int runs_ = 0;
};

TEST_F(simulate_command, says_what_automation_relies_on) {
  const auto done =
    run({"--virtual", "--arrivals", "200/h", "--aht", "180", "--agents", "14", "--patience", "300",
         "--answer-within", "20", "--calls", "20000", "--seeds", "10", "--json", "-"});
  ASSERT_EQ(done.status, 0) << done.err;
  const auto j = nlohmann::json::parse(done.out);
  const std::pair<const char*, double> expected[] = {{"p_wait", .1453},
                                                     {"asa_s", 3.878},
                                                     {"service_level", .9168},
                                                     {"abandoned", .0140},
                                                     {"occupancy", .7043}};
  for (const auto& [name, theory] : expected) {
    const auto& f = j.at(name);
    EXPECT_NEAR(f.at("theory").get<double>() / theory, 1, 0.003) << name;
    EXPECT_NEAR(f.at("mean").get<double>() / theory, 1, 0.1) << name;
    EXPECT_LT(f.at("ci95_low"), f.at("ci95_high")) << name;
  }
}

TEST_F(simulate_command, gives_the_same_bytes_for_the_same_seed) {
  const auto with_seed = [this](const std::string& seed) {
    return run({"--arrivals", "200/h", "--aht", "lognormal:180:0.8", "--wrap-up", "exp:20s",
                "--agents", "13..14", "--patience", "weibull:200:1.4", "--calls", "5000", "--seed",
                seed, "--json", "-"})
      .out;
  };
  const auto one = with_seed("7");
  EXPECT_GT(one.size(), 1000U);
  EXPECT_EQ(with_seed("7"), one);
  EXPECT_NE(with_seed("8"), one);
  const auto day = [this] { return run({"-c", sample_day_, "--seeds", "2", "--json", "-"}).out; };
  const auto first = day();
  EXPECT_GT(first.size(), 10'000U);
  EXPECT_EQ(day(), first);
}

TEST_F(simulate_command, writes_a_page_that_is_the_same_for_the_same_seed) {
  const auto page = [this](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--seeds", "2", "--html", "-"});
    return run(std::move(arguments)).out;
  };
  for (const auto& arguments :
       {std::vector<std::string>{"-c", sample_day_},
        {"--arrivals", "200/h", "--aht", "180", "--agents", "12..14", "--calls", "2000"}}) {
    const auto one = page(arguments);
    EXPECT_TRUE(one.starts_with("<!doctype html>")) << one.substr(0, 200);
    EXPECT_TRUE(one.ends_with("</html>\n"));
    EXPECT_NE(one.find("<svg "), one.npos);
    EXPECT_EQ(page(arguments), one);
  }
}

TEST_F(simulate_command, ends_with_3_where_a_target_cannot_be_met) {
  const auto target = [this](const std::string& agents) {
    return run({"--arrivals", "200/h", "--aht", "180", "--target", "sl>=80%", "--calls", "2000",
                "--seeds", "3", "--agents", agents, "-q"});
  };
  EXPECT_EQ(target("1..12").status, 3);
  const auto met = target("1..30");
  EXPECT_EQ(met.status, 0);
  EXPECT_EQ(met.out, "");
}

TEST_F(simulate_command, ends_with_3_where_a_queue_of_a_day_misses_its_target) {
  const auto day = [this](int agents, std::string_view target) {
    const auto path = folder_.write(
      "day.toml", fmt::format("[[queue]]\nname = \"a\"\ntalk = \"exp:3m\"\npatience = \"exp:2m\"\n"
                              "arrivals = [100, 100]\n{}"
                              "[[agents]]\nname = \"x\"\ncount = {}\nqueues = [\"a\"]\n",
                              target, agents));
    return run({"-c", path, "--seeds", "4"});
  };
  constexpr auto target = "service_level_target = \"80%\"\n";
  const auto missed = day(8, target);
  EXPECT_EQ(missed.status, 3) << missed.err;
  EXPECT_TRUE(missed.out.starts_with("a misses its target: service level ")) << missed.out;
  EXPECT_NE(missed.out.find("8.0      12    +4 "), std::string::npos) << missed.out;
  const auto met = day(14, target);
  EXPECT_EQ(met.status, 0) << met.err;
  EXPECT_TRUE(met.out.starts_with("a day of ")) << met.out;
  EXPECT_EQ(day(8, "").status, 0) << "nothing was asked for";
  const auto sample = run({"-c", sample_day_, "-q"});
  EXPECT_EQ(sample.status, 0) << "the day that is shown to people meets its targets";
}

TEST_F(simulate_command, reports_a_day_whose_file_has_a_name_that_is_no_text) {
  const auto path = folder_.write("day\xff.toml", "[[queue]]\nname = \"a\"\ntalk = \"1m\"\n"
                                                  "arrivals = [5]\n[[agents]]\nname = \"x\"\n"
                                                  "queues = [\"a\"]\n");
  const auto done = run({"-c", path, "--seeds", "1", "--json", "-"});
  ASSERT_EQ(done.status, 0) << done.err;
  const auto command = nlohmann::json::parse(done.out).at("command").get<std::string>();
  EXPECT_NE(command.find("day\xef\xbf\xbd.toml"), std::string::npos) << command;
}

TEST_F(simulate_command, says_what_is_wrong_with_its_options) {
  const auto wrong = [this](std::vector<std::string> arguments) {
    const auto done = run(std::move(arguments));
    EXPECT_EQ(done.status, 2);
    EXPECT_EQ(done.out, "");
    return done.err;
  };
  EXPECT_EQ(wrong({"--arival", "3/h"}), "--arival: is no option, did you mean --arrivals?\n");
  EXPECT_EQ(wrong({}), "--arrivals: is missing, expected a rate: 200/h\n");
  EXPECT_EQ(
    wrong({"--arrivals", "200/h", "--aht", "180", "--agents", "10"}),
    "--agents: 10 agents where callers keep 10 busy: the line grows for ever, expected 11 or "
    "more, or --patience\n");
  EXPECT_EQ(wrong({"--arrivals", "200/h", "--aht", "180", "--agents", "1..5000"}),
            "--agents: expected at most 1000 numbers, or --target\n");
  EXPECT_EQ(
    wrong({"--arrivals", "200/h", "--aht", "180", "--agents", "14", "--json", "-", "--csv", "-"}),
    "--csv: goes where --json goes, expected another\n");
  EXPECT_EQ(wrong({"-c", sample_day_, "--html", "-", "--csv", "-"}),
            "--html: goes where another report goes, expected another\n");
  EXPECT_EQ(wrong({"--arrivals", "200/h", "--aht", "180", "--agents", "14", "--patience", "60",
                   "--answers-after", "25", "--calls", "1000"}),
            "answers: nobody was answered, expected phones that are answered within 20 s\n");
  EXPECT_EQ(wrong({"--arrivals", "200/h", "--aht", "20", "--wrap-up", "20", "--agents", "9"}),
            "--wrap-up: is a part of the handling time, expected less than --aht\n");
  EXPECT_EQ(wrong({"-c", sample_day_, "--aht", "180"}),
            "--aht: is of one queue, expected it in the file of --config\n");
  EXPECT_EQ(wrong({"-c", "/nowhere"}), "/nowhere: cannot be read: No such file or directory\n");
  EXPECT_EQ(wrong({"-c", "/tmp"}), "/tmp: cannot be read: Is a directory\n");
  EXPECT_EQ(wrong({"--arrivals", "200/h", "--aht", "180", "--agents", "14", "--json", "/no/where"}),
            "--json: \"/no/where\" cannot be written: No such file or directory\n");
}

TEST_F(simulate_command, reads_a_day_and_names_each_fault_with_its_line) {
  EXPECT_EQ(run({"-c", sample_day_, "--check"}).err, "");
  EXPECT_EQ(faults_of("[[queue]]\nname = \"a\"\ntalk = \"exp:3m\"\narrivals = [20]\n"
                      "[[agents]]\nname = \"x\"\nqueues = \"all\"\n"),
            "");
  EXPECT_EQ(faults_of("[day]\nbegins = \"8\"\ninterval = \"1s\"\nlength = 3\n"
                      "[[queue]]\nname = \"a\"\narrivals = [1, -2]\ntalk = \"gamma:3\"\n"
                      "overflow = \"b\"\nstrategy = \"best\"\nredial = { share = \"2\" }\n"
                      "[[agents]]\nname = \"x\"\nqueues = [\"c\"]\nshifts = [\"9:00-8:00\"]\n"
                      "breaks = [{ at = \"10:00\" }]\nfails_after = \"1h\"\n"),
            "day.toml:4: length: is unknown in [day], expected begins or interval\n"
            "day.toml:2: begins: \"8\" is no time of day, expected 8:00\n"
            "day.toml:3: interval: expected 1m to 24h\n"
            "day.toml:7: arrivals: expected a number of calls, 0 or more\n"
            "day.toml:8: talk: \"gamma:3\" is unknown, expected 180s, exp:180s, "
            "lognormal:180s:CV, weibull:180s:SHAPE or file:PATH\n"
            "day.toml:11: share: \"2\" is no share, expected 0% to 100%\n"
            "day.toml:10: strategy: \"best\" is unknown, expected one of longest-idle, ring-all, "
            "round-robin, top-down, least-talk-time, fewest-calls, random\n"
            "day.toml:14: queues: \"c\" is no queue, expected the name of a [[queue]]\n"
            "day.toml:15: shifts: \"9:00-8:00\" is no shift, expected 8:00-16:30\n"
            "day.toml:16: breaks: expected [{at = \"12:00\", length = \"30m\", apart = \"5m\"}]\n"
            "day.toml:12: fails_after: and failure_lasts go together, expected both or none\n"
            "day.toml:9: overflow: \"b\" is no queue, expected the name of a [[queue]]\n");
  EXPECT_EQ(faults_of("[[queue]]\nname = \"a\"\ntalk = \"exp:3m\"\narrivals = [20]\n"
                      "service_level_target = \"80\"\n"),
            "day.toml:5: service_level_target: \"80\" is no share, expected 0% to 100%\n");
  EXPECT_EQ(faults_of(""), "day.toml: has no [[queue]], expected one or more\n");
  EXPECT_EQ(faults_of("[[queue]]\nname = \"a\"\ntalk = \"3m\"\n"),
            "day.toml: has no calls, expected arrivals = [20, 35, 60] of some queue\n");
  EXPECT_EQ(faults_of("[[queue]\n").substr(0, 11), "day.toml:1:");
}

TEST_F(simulate_command, plays_the_calls_of_a_day_that_was) {
  folder_.write("calls.csv", "time,number\n08:00:10,1\n8:00:05,2\n08:31:00.5,3\n");
  const auto day = "[day]\nbegins = \"8:00\"\n[[queue]]\nname = \"a\"\ntalk = \"1m\"\n"
                   "arrivals_file = \"calls.csv\"\n[[agents]]\nname = \"x\"\nqueues = [\"a\"]\n";
  EXPECT_NE(faults_of(day).find("calls.csv:4: \"08:31:00.5\" is no time of the day"),
            std::string::npos);
  folder_.write("calls.csv", "time,number\n08:00:10,1\n8:00:05,2\n08:31:00,3\n");
  const auto path = folder_.write("day.toml", day);
  const auto done = run({"-c", path, "--seeds", "1", "--json", "-"});
  ASSERT_EQ(done.status, 0) << done.err;
  const auto j = nlohmann::json::parse(done.out);
  EXPECT_EQ(j.at("all").at("answered"), 3);
  EXPECT_EQ(j.at("all").at("longest_wait_s"), 55);
  EXPECT_EQ(j.at("queues")[0].at("intervals")[1].at("offered"), 1);
}

} // namespace
} // namespace jackfield::tests
