#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "app/centre_api.hpp"
#include "app/centre_api_answers.hpp"
#include "app/centre_json.hpp"

// Webhooks.

namespace jackfield::app {

namespace {

std::string webhook_json(const webhooks::webhook_state& hook) {
  nlohmann::ordered_json out;
  out["name"] = hook.name;
  out["url"] = hook.url;
  out["cursor"] = hook.cursor;
  out["behind"] = hook.behind;
  out["dropped"] = hook.dropped;
  out["deliveries"] = hook.deliveries;
  out["failures"] = hook.failures;
  out["last_error"] = nullptr;
  if (!hook.last_error.empty())
    out["last_error"] = hook.last_error;
  out["next_try_us"] = nullptr;
  if (hook.next_try)
    out["next_try_us"] =
      std::chrono::duration_cast<std::chrono::microseconds>(hook.next_try->time_since_epoch())
        .count();
  out["stopped"] = hook.stopped;
  return out.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

} // namespace

void centre_api::list_webhooks(exchange& of) {
  const auto all = sources_.webhooks->states();
  const auto which = page_of(of.target, all);
  if (!which) {
    of.answer_with(which.error());
    return;
  }
  std::vector<std::string> parts;
  for (const auto& each : part_of(all, *which))
    parts.push_back(webhook_json(each));
  of.answer_with(json_answer(list_json("webhooks", parts, next_of(all, *which))));
}

} // namespace jackfield::app
