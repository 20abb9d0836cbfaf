#include "app/serving/running_centre.hpp"

#include <caf/send.hpp>
#include <gtest/gtest.h>

#include "app/serving/centre_engine.hpp"

namespace jackfield::app {
namespace {

/// With a queue, "sales", and an agent, "alice".
class running_centre_test : public testing::Test {
protected:
  running_centre_test() {
    centre_plan plan;
    plan.queues.emplace_back().name = "sales";
    plan.agents.emplace_back().name = "alice";
    const auto here = lane::endpoint::loopback_v4(0);
    centre_site site;
    site.lanes = 2;
    site.media_address = here;
    engine_ = node::make(node_settings_of(site)).value();
    self_.emplace(engine_->system());
    centre_.emplace(*engine_, *self_);
    centre_->begin(plan, bridge_manner_at(here, nullptr), {}, nullptr);
    engine_->start();
  }

  /// Kills it; what is said of it.
  std::string killed(const caf::actor& part) {
    caf::anon_send_exit(part, caf::exit_reason::kill);
    (*self_)->receive([&](const caf::down_msg& down) { EXPECT_TRUE(centre_->on_down(down)); });
    return centre_->lost().value_or("nothing");
  }
  void end() {
    centre_->drain();
    while (!centre_->over())
      (*self_)->receive([&](const centre_stopped& last) { centre_->on_stopped(last); },
                        [&](const caf::down_msg& down) { centre_->on_down(down); });
    centre_->let_go();
  }

  std::unique_ptr<node> engine_;
  std::optional<caf::scoped_actor> self_;
  std::optional<running_centre> centre_;
};

TEST_F(running_centre_test, is_over_when_its_services_have_ended) {
  EXPECT_FALSE(centre_->over());
  EXPECT_EQ(centre_->ask_queues().size(), 1U);
  end();
  EXPECT_EQ(centre_->lost(), std::nullopt);
}

TEST_F(running_centre_test, says_which_queue_an_error_ended) {
  EXPECT_EQ(killed(centre_->actors().queues.front()),
            "an error ended the queue \"sales\": exit_reason(kill)");
  EXPECT_EQ(centre_->ask_queues().size(), 0U);
  end();
}

TEST_F(running_centre_test, says_which_agent_an_error_ended) {
  EXPECT_EQ(killed(centre_->actors().agents.front()),
            "an error ended the agent \"alice\": exit_reason(kill)");
  end();
}

TEST_F(running_centre_test, does_not_wait_for_a_service_that_an_error_ended) {
  EXPECT_EQ(killed(centre_->actors().services.back()),
            "an error ended the service of lane 1: exit_reason(kill)");
  end();
}

} // namespace
} // namespace jackfield::app
