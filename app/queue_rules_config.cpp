#include "app/queue_rules_config.hpp"

#include <string_view>
#include <utility>

namespace jackfield::app {

void read_queue_rules(config_reader& in, const toml::table& queue, policy::queue_rules& rules) {
  using namespace std::string_view_literals;
  using policy::attendance;
  using policy::strategy;
  in.choice(queue, "strategy", rules.picks,
            {{"longest-idle"sv, strategy::longest_idle},
             {"ring-all"sv, strategy::ring_all},
             {"round-robin"sv, strategy::round_robin},
             {"top-down"sv, strategy::top_down},
             {"least-talk-time"sv, strategy::least_talk_time},
             {"fewest-calls"sv, strategy::fewest_calls},
             {"random"sv, strategy::random}});
  const auto needs = {std::pair{"none"sv, attendance::none},
                      std::pair{"logged-in"sv, attendance::logged_in},
                      std::pair{"working"sv, attendance::working}};
  in.choice(queue, "join_needs", rules.join_needs, needs);
  in.choice(queue, "stay_needs", rules.stay_needs, needs);
  in.time(queue, "without_agents", rules.without_agents);
  in.time(queue, "ring", rules.ring_time);
  in.time(queue, "max_wait", rules.max_wait);
  in.time(queue, "priority_worth", rules.priority_worth);
  in.time(queue, "service_level", rules.service_level_within);
  in.number(queue, "most_waiting", rules.most_waiting, 0, 1'000'000);
  if (const auto other = in.text(queue, "overflow"))
    rules.overflow_to = {*other, *other, *other, *other};
}

void read_agent_rules(config_reader& in, const toml::table& agent, policy::agent_rules& rules) {
  in.time(agent, "after_rejected", rules.after_rejected);
  in.time(agent, "after_busy", rules.after_busy);
  in.time(agent, "after_no_answer", rules.after_no_answer);
  in.time(agent, "after_unreachable", rules.after_unreachable);
  in.number(agent, "most_unanswered", rules.most_unanswered, 0, 1000);
}

} // namespace jackfield::app
