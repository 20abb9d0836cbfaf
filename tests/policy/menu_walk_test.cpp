#include "engine/policy/menu_walk.hpp"

#include <gtest/gtest.h>

namespace jackfield::policy {
namespace {

using namespace std::chrono_literals;
using kind = menu_target::kind;

menu_target to(const std::string& text) {
  return menu_target::parse(text).value();
}

class menu_walk_test : public testing::Test {
protected:
  menu_walk_test() {
    menus_.push_back(
      {"main", {{'1', to("queue:support")}, {'2', to("menu:more")}}, 5s, 1, to("queue:reception")});
    menus_.push_back({"more", {{'*', to("menu:main")}, {'0', to("hang_up")}}, 3s, 0, {}});
  }
  menu_walk walk() { return {std::make_shared<const std::vector<menu_rules>>(menus_), 0}; }

  std::vector<menu_rules> menus_;
  time_point now_{1h};
};

TEST_F(menu_walk_test, a_key_leads_at_once_where_it_says) {
  auto w = walk();
  EXPECT_EQ(w.begin().play, 0U);
  EXPECT_EQ(w.deadline(), never) << "the prompt is heard";
  const auto next = w.on_key('1');
  EXPECT_FALSE(next.play);
  EXPECT_EQ(next.leads, to("queue:support"));
}

TEST_F(menu_walk_test, a_menu_leads_to_another_and_back) {
  auto w = walk();
  (void)w.begin();
  EXPECT_EQ(w.on_key('2').play, 1U);
  EXPECT_EQ(w.at().name, "more");
  EXPECT_EQ(w.on_key('*').play, 0U);
  EXPECT_EQ(w.on_key('2').play, 1U);
  EXPECT_EQ(w.on_key('0').leads, to("hang_up"));
}

TEST_F(menu_walk_test, who_presses_nothing_hears_it_again_and_goes_on_otherwise) {
  auto w = walk();
  (void)w.begin();
  w.on_played(now_);
  EXPECT_EQ(w.deadline(), now_ + 5s) << "after the prompt";
  const auto early = w.on_time(now_ + 4s);
  EXPECT_FALSE(early.play || early.leads);
  EXPECT_EQ(w.on_time(now_ + 5s).play, 0U);
  EXPECT_EQ(w.deadline(), never);
  w.on_played(now_ + 9s);
  const auto last = w.on_time(now_ + 14s);
  EXPECT_FALSE(last.play);
  EXPECT_EQ(last.leads, to("queue:reception"));
}

TEST_F(menu_walk_test, a_key_that_means_nothing_counts_as_none) {
  auto w = walk();
  (void)w.begin();
  EXPECT_EQ(w.on_key('9').play, 0U);
  EXPECT_EQ(w.on_key('8').leads, to("queue:reception"));
}

TEST_F(menu_walk_test, another_menu_has_its_own_repeats) {
  auto w = walk();
  (void)w.begin();
  EXPECT_EQ(w.on_key('9').play, 0U);
  EXPECT_EQ(w.on_key('2').play, 1U);
  EXPECT_EQ(w.on_key('7').leads, to("hang_up")) << "no repeats, and nothing otherwise";
}

TEST_F(menu_walk_test, nobody_goes_round_in_a_circle_for_ever) {
  menus_[0].otherwise = to("menu:main");
  menus_[0].repeats = 0;
  auto w = walk();
  auto next = w.begin();
  unsigned played = 0;
  for (; next.play && played < 1000; ++played)
    next = w.on_key('9');
  EXPECT_EQ(played, menu_walk::most_menus);
  EXPECT_EQ(next.leads, to("hang_up"));
}

TEST_F(menu_walk_test, what_leads_nowhere_and_no_key_is_refused) {
  for (const auto* text : {"", "queue:", "menu:", "agent:alice", "support"})
    EXPECT_FALSE(menu_target::parse(text)) << text;
  EXPECT_TRUE(menus_[0].check());
  menus_[0].keys['x'] = {};
  EXPECT_FALSE(menus_[0].check());
  menus_[1].timeout = 0s;
  EXPECT_FALSE(menus_[1].check());
}

} // namespace
} // namespace jackfield::policy
