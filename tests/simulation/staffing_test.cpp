#include "engine/simulation/staffing.hpp"

#include <nlohmann/json.hpp>

#include <gtest/gtest.h>

#include "engine/simulation/study_report.hpp"

namespace jackfield::simulation {
namespace {

using namespace std::chrono_literals;

single_queue small_queue(duration patience = 0s) {
  single_queue q;
  q.calls_per_second = 200 / 3600.;
  q.talk = distribution::exponential(180s);
  if (patience > 0s)
    q.patience = distribution::exponential(patience);
  return q;
}

constexpr study_options few{2000, 3, 1, 1};

staffing_result found(const char* target, uint32_t least = 1, uint32_t most = 60) {
  const auto parsed = staffing_target::parse("--target", target);
  EXPECT_TRUE(parsed) << parsed.error().to_string();
  auto all = study_staffing(small_queue(), least, most, *parsed, few);
  EXPECT_TRUE(all) << all.error().to_string();
  return *all;
}

TEST(staffing_target, is_read) {
  const auto sl = staffing_target::parse("--target", "sl >= 80%");
  ASSERT_TRUE(sl) << sl.error().to_string();
  EXPECT_EQ(sl->what, staffing_target::metric::service_level);
  EXPECT_DOUBLE_EQ(sl->bound, 0.8);
  EXPECT_EQ(sl->text, "sl>=80%");
  EXPECT_DOUBLE_EQ(staffing_target::parse("--target", "service_level>=0.85")->bound, 0.85);
  EXPECT_DOUBLE_EQ(staffing_target::parse("--target", "asa<=20")->bound, 20);
  EXPECT_DOUBLE_EQ(staffing_target::parse("--target", "asa<=1m")->bound, 60);
  EXPECT_DOUBLE_EQ(staffing_target::parse("--target", "abandoned<=3%")->bound, 0.03);
  EXPECT_DOUBLE_EQ(staffing_target::parse("--target", "p_wait<=0.2")->bound, 0.2);
}

TEST(staffing_target, is_refused_with_what_was_expected) {
  for (const auto* wrong : {"", "sl", "sl>=", "sl>=x", "sl>=80", "sl>=-1%", "level>=0.8", "sl>0.8",
                            "asa<=-1s", "sl>=0.8x", ">=0.8"}) {
    const auto target = staffing_target::parse("--target", wrong);
    ASSERT_FALSE(target) << wrong;
    EXPECT_NE(target.error().cause.find("expected sl>=80%, asa<=20s"), std::string::npos) << wrong;
  }
  // More agents have less of it, so there is no least number.
  EXPECT_EQ(staffing_target::parse("--target", "occupancy>=0.8").error().cause.substr(0, 51),
            "\"occupancy>=0.8\" is not what more agents bring abou");
}

TEST(staffing, tells_each_of_a_range) {
  const auto all = study_staffing(small_queue(), 9, 12, std::nullopt, few);
  ASSERT_TRUE(all);
  ASSERT_EQ(all->steps.size(), 4U);
  EXPECT_FALSE(all->steps[0].study) << "9 agents cannot do 10 Erlangs";
  EXPECT_FALSE(all->steps[1].study);
  ASSERT_TRUE(all->steps[2].study);
  EXPECT_EQ(all->steps[3].agents, 12U);
  EXPECT_GT(all->steps[3].study->level_negative.simulated.mean,
            all->steps[2].study->level_negative.simulated.mean);
  EXPECT_FALSE(all->met);
}

TEST(staffing, finds_the_least_that_meets_a_target) {
  const auto all = found("sl>=80%");
  ASSERT_TRUE(all.met);
  const auto& least = all.steps[*all.met];
  EXPECT_EQ(least.agents, 13U);
  ASSERT_TRUE(least.study);
  EXPECT_GE(least.study->level_negative.simulated.mean, 0.8);
  // The one below was looked at.
  ASSERT_GT(*all.met, 0U);
  const auto& below = all.steps[*all.met - 1];
  EXPECT_EQ(below.agents, 12U);
  EXPECT_LT(below.study->level_negative.simulated.mean, 0.8);
  EXPECT_LT(all.steps.size(), 6U) << "more were tried than it takes";
}

TEST(staffing, finds_it_wherever_it_lies_in_the_range) {
  EXPECT_EQ(found("sl>=80%", 13).steps.front().agents, 13U);
  EXPECT_EQ(found("sl>=80%", 13).met, 0U);
  EXPECT_EQ(found("sl>=80%", 20, 30).steps.size(), 1U);
  EXPECT_EQ(found("sl>=80%", 1, 13).steps.back().agents, 13U);
  EXPECT_TRUE(found("sl>=80%", 1, 13).met);
  EXPECT_FALSE(found("sl>=80%", 1, 12).met) << "none in the range does";
  EXPECT_FALSE(found("sl>=80%", 1, 5).met);
  const auto occupancy = found("occupancy<=50%");
  EXPECT_NEAR(occupancy.steps[*occupancy.met].agents, 20, 1);
}

TEST(study_report, has_the_figures_in_json) {
  auto q = small_queue(300s);
  const auto staffing = study_staffing(q, 14, 14, std::nullopt, few);
  ASSERT_TRUE(staffing);
  const study_report report{{"1.2.3", "jackfield simulate ..."}, q, few, *staffing};
  const auto j = nlohmann::json::parse(study_json(report));
  for (const auto* name : {"p_wait", "asa_s", "service_level", "abandoned", "occupancy"}) {
    const auto& f = j.at(name);
    EXPECT_LE(f.at("ci95_low"), f.at("mean")) << name;
    EXPECT_LE(f.at("mean"), f.at("ci95_high")) << name;
    EXPECT_TRUE(f.at("theory").is_number()) << name;
  }
  EXPECT_EQ(j.at("agents"), 14);
  EXPECT_EQ(j.at("version"), "1.2.3");
  EXPECT_EQ(j.at("theory").at("formula"), "Erlang A");
  EXPECT_EQ(j.at("model").at("patience"), "exp:300s");
  EXPECT_FALSE(j.contains("steps"));
  // Again the same bytes; with another seed others.
  const auto again = study_staffing(q, 14, 14, std::nullopt, few);
  EXPECT_EQ(study_json({report.info, q, few, *again}), study_json(report));
  EXPECT_EQ(study_text({report.info, q, few, *again}), study_text(report));
  auto other = few;
  other.seed = 5;
  const auto differs = study_staffing(q, 14, 14, std::nullopt, other);
  EXPECT_NE(study_json({report.info, q, few, *differs}), study_json(report));
}

TEST(study_report, has_no_bounds_of_one_run) {
  auto q = small_queue();
  const study_options one{1000, 1, 1, 1};
  const auto staffing = study_staffing(q, 14, 14, std::nullopt, one);
  const study_report report{{"", ""}, q, one, *staffing};
  const auto j = nlohmann::json::parse(study_json(report));
  EXPECT_TRUE(j.at("asa_s").at("ci95_low").is_null());
  EXPECT_TRUE(j.at("asa_s").at("mean").is_number());
  EXPECT_NE(study_text(report).find("no bounds of one run"), std::string::npos);
}

TEST(study_report, has_a_step_for_each_number_of_agents) {
  auto q = small_queue();
  const auto staffing = study_staffing(q, 10, 12, std::nullopt, few);
  ASSERT_TRUE(staffing);
  const study_report report{{"", ""}, q, few, *staffing};
  const auto j = nlohmann::json::parse(study_json(report));
  ASSERT_EQ(j.at("steps").size(), 3U);
  EXPECT_FALSE(j.at("steps")[0].at("stable").get<bool>());
  EXPECT_TRUE(j.at("steps")[0].at("asa_s").is_null());
  EXPECT_EQ(j.at("steps")[1].at("agents"), 11);
  EXPECT_TRUE(j.at("agents").is_null());
  const auto csv = study_csv(report);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 4);
  EXPECT_EQ(csv.substr(0, 45), "agents,p_wait,p_wait_ci95_low,p_wait_ci95_hig");
  EXPECT_NE(csv.find("\n10,,,,"), std::string::npos);
  const auto text = study_text(report);
  EXPECT_NE(text.find("10  the line grows for ever"), std::string::npos);
}

} // namespace
} // namespace jackfield::simulation
