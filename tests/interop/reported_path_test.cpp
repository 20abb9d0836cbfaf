#include <algorithm>
#include <chrono>
#include <cmath>
#include <fstream>
#include <map>
#include <memory>
#include <ostream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/interop/path_record.hpp"
#include "tests/interop/peers.hpp"
#include "tests/interop/plain_detour.hpp"
#include "tests/interop/talker.hpp"

namespace jackfield::tests {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t call_count = 200;
constexpr std::chrono::milliseconds call_length{18'000};
/// Ends before its call does, with time for what is on its way.
constexpr std::chrono::milliseconds talk_length{16'800};

/// Seconds of the run: from here on what is on its way is little of all that came, and up to there
/// everybody talks.
constexpr double steady_from = 4.5;
constexpr double steady_to = 15.5;

constexpr double within = 0.01; ///< of what the relay did

struct csv_line {
  path_record::clock::time_point at; ///< when it was there to be read
  std::map<std::string, double> figures;
};

/// Reads a file of figures while it is written.
class followed_csv {
public:
  explicit followed_csv(const std::string& path) : path_(path) {}

  void read_on() {
    std::ifstream in{path_, std::ios::binary};
    in.seekg(read_);
    const auto now = path_record::clock::now();
    for (std::string line; std::getline(in, line) && !in.eof(); read_ = in.tellg()) {
      std::istringstream fields{line.substr(0, line.find('\r'))};
      std::vector<std::string> values;
      for (std::string each; std::getline(fields, each, ',');)
        values.push_back(each);
      if (names_.empty()) {
        names_ = values;
        continue;
      }
      csv_line made{now, {}};
      for (size_t i = 0; i < std::min(names_.size(), values.size()); ++i)
        if (!values[i].empty())
          made.figures[names_[i]] = std::stod(values[i]);
      lines.push_back(std::move(made));
    }
  }

  std::vector<csv_line> lines;

private:
  std::string path_;
  std::streamoff read_ = 0;
  std::vector<std::string> names_;
};

struct path_case {
  std::string name;
  double loss = 0;
  bool pauses = false;

  friend std::ostream& operator<<(std::ostream& to, const path_case& of) { return to << of.name; }
};

/// A load run through the relay, and what both of them say of it.
class measured_run {
public:
  explicit measured_run(const path_case& which) : path_(which), record_(talker::speech_type) {
    talker peer{{which.pauses, static_cast<unsigned>(talk_length / talker::packet_time)}};
    auto answer = start_answerer(folder_, "udp:127.0.0.1:0", {"--media-ip", "127.0.0.1"});
    impairment_options path;
    path.loss = which.loss;
    path.delay = 40ms;
    path.jitter = 20ms;
    plain_detour detour{answer.port, peer.port(), path,
                        [this](const relay_event& event) { record_.note(event); }};
    const auto file = folder_.file("run.csv");
    auto load = start_load(folder_, {sip_uri("service", detour.port()), "--codecs", "PCMU", "-m",
                                     std::to_string(call_count), "-r", "100", "-d",
                                     std::to_string(call_length.count()), "--csv", file});
    followed_csv csv{file};
    while (!load.program->ended_within(2))
      csv.read_on();
    lines_ = std::move(csv.lines);
    outcome_ = load.finish();
    spoken_ = peer.finish();
    relayed_ = detour.finish().to_client;
    answer.finish();
  }

  /// Did the machine have time for it? What the relay does late is measured as well.
  [[nodiscard]] bool fair() const { return outcome_.status == 0 && relayed_.received == spoken_; }
  [[nodiscard]] std::string why_unfair() const {
    return "status " + std::to_string(outcome_.status) + ", invalid " +
           outcome_.summary.at("invalid_reasons").dump() + ", " +
           std::to_string(relayed_.received) + " of " + std::to_string(spoken_) +
           " packets came to the relay";
  }

  void expect_told_at_the_end() const {
    const auto path = record_.all();
    const auto& heard = told();
    const auto figures = "relay: left " + std::to_string(path.left) + ", lost " +
                         std::to_string(path.lost) + " (and " +
                         std::to_string(relayed_.lost - path.lost) +
                         " before the first or after the last), jitter " +
                         std::to_string(path.jitter_ms()) + " ms; told: " + heard.dump();
    testing::Test::RecordProperty("at_the_end", figures);
    SCOPED_TRACE(figures);
    const auto expected = heard.at("packets_expected").get<double>();
    EXPECT_EQ(heard.at("streams"), call_count);
    EXPECT_NEAR(heard.at("packets_received").get<double>(), path.left, within * path.left);
    EXPECT_NEAR(expected, path.left + path.lost, within * path.left);
    EXPECT_NEAR(heard.at("packets_lost").get<double>() / expected, path.share_lost(),
                within * path.share_lost());
    for (const auto& jitter : {heard.at("jitter_mean_ms"), heard.at("jitter_ms").at("mean")})
      EXPECT_NEAR(jitter.get<double>(), path.jitter_ms(), within * path.jitter_ms());
  }

  void expect_told_while_it_runs() const {
    // Of each call, the last eight numbers and what the path still holds: what was lost of these is
    // not told yet.
    const double not_told_yet = path_.loss * call_count * 11;
    double received = 0;
    double lost = 0;
    path_figures before;
    int steady = 0;
    for (const auto& [at, line] : lines_) {
      received += line.at("packets_received");
      lost += line.at("packets_lost");
      const auto path = record_.until(at);
      const auto jitter =
        (path.variation_ms - before.variation_ms) / static_cast<double>(path.pairs - before.pairs);
      before = path;
      if (line.at("at_s") < steady_from || line.at("at_s") > steady_to)
        continue;
      ++steady;
      std::ostringstream figures;
      figures << "relay: left " << path.left << ", lost " << path.lost << ", jitter " << jitter
              << " ms; told: received " << received << ", lost " << lost << ", jitter "
              << line.at("jitter_mean_ms") << " ms";
      testing::Test::RecordProperty("after_s_" + std::to_string(std::lround(line.at("at_s"))),
                                    figures.str());
      SCOPED_TRACE(figures.str());
      EXPECT_NEAR(received, path.left, within * path.left);
      EXPECT_NEAR(lost, path.lost, within * path.lost + not_told_yet);
      EXPECT_NEAR(line.at("jitter_mean_ms"), jitter, within * jitter);
    }
    EXPECT_GE(steady, 10) << "lines of " << lines_.size();
  }

private:
  [[nodiscard]] const nlohmann::json& told() const {
    return outcome_.summary.at("media").at("received");
  }

  path_case path_;
  scratch_folder folder_;
  path_record record_;
  std::vector<csv_line> lines_;
  load_outcome outcome_;
  uint64_t spoken_ = 0;
  relay_counters relayed_;
};

class reported_path : public testing::TestWithParam<path_case> {};

TEST_P(reported_path, is_the_relays_while_it_runs_and_at_the_end) {
  auto run = std::make_unique<measured_run>(GetParam());
  for (int again = 0; again < 3 && !run->fair(); ++again) {
    RecordProperty("unfair_" + std::to_string(again), run->why_unfair());
    run = std::make_unique<measured_run>(GetParam());
  }
  EXPECT_TRUE(run->fair()) << "in four attempts, the last one: " << run->why_unfair();
  run->expect_told_while_it_runs();
  run->expect_told_at_the_end();
}

INSTANTIATE_TEST_SUITE_P(over, reported_path,
                         testing::Values(path_case{"pcmu_0_percent", 0, false},
                                         path_case{"pcmu_1_percent", 0.01, false},
                                         path_case{"pcmu_5_percent", 0.05, false},
                                         path_case{"comfort_noise_0_percent", 0, true},
                                         path_case{"comfort_noise_1_percent", 0.01, true},
                                         path_case{"comfort_noise_5_percent", 0.05, true}),
                         [](const auto& each) { return each.param.name; });

} // namespace
} // namespace jackfield::tests
