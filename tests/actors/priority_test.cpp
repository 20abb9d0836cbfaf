#include <future>
#include <memory>

#include <caf/event_based_actor.hpp>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "actors/node/node.hpp"

namespace jackfield {
namespace {

/// Of the calling thread: the higher, the further it stands back.
int niceness() {
  return getpriority(PRIO_PROCESS, 0);
}

TEST(priority, the_pool_stands_back_behind_the_lanes) {
  node_settings settings;
  settings.media.address = lane::endpoint::loopback_v4(0);
  const auto node = node::make(settings).value();
  std::promise<int> of_lane;
  node->context(0).home.post([&] { of_lane.set_value(niceness()); });
  node->start();
  const auto of_pool = std::make_shared<std::promise<int>>();
  node->system().spawn(
    [](caf::event_based_actor* /*self*/, const std::shared_ptr<std::promise<int>>& told) {
      told->set_value(niceness());
    },
    of_pool);
  EXPECT_EQ(of_lane.get_future().get(), niceness()) << "a lane runs as what started it";
  EXPECT_GT(of_pool->get_future().get(), niceness());
}

} // namespace
} // namespace jackfield
