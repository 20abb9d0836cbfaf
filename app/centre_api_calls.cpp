#include <algorithm>
#include <chrono>
#include <utility>

#include "app/centre_api.hpp"
#include "app/centre_api_answers.hpp"
#include "app/centre_json.hpp"
#include "storage/call_export.hpp"

// Calls that are up, and finished ones.

namespace jackfield::app {

using http::problem;

void centre_api::list_calls(exchange& of) {
  http::query_reader query{of.target};
  const auto limit = query.number("limit", 1, longest_page).value_or(usual_page);
  const auto after = query.number("after", 0, UINT64_MAX).value_or(0);
  if (auto fault = query.finish()) {
    of.answer_with(std::move(*fault));
    return;
  }
  const auto found = view_.calls(after, limit);
  const auto now = std::chrono::system_clock::now();
  std::vector<std::string> parts;
  for (const auto& each : found.calls)
    parts.push_back(call_json(each, now));
  of.answer_with(json_answer(
    list_json("calls", parts, found.more ? std::to_string(found.calls.back().number) : "")));
}

void centre_api::hang_up(exchange& of) {
  const auto is = current();
  const auto number = http::read_number(of.name, 1, UINT64_MAX);
  const auto gone = [] { return problem(404, "there is no such call, or no more", "id"); };
  if (!number || !view_.find(*number)) {
    of.answer_with(gone());
    return;
  }
  ask(of, [this, is, number = *number, gone](caf::scoped_actor& self) {
    // While it drains, lanes without calls have ended.
    const auto told =
      centre_asker::ask_some<call_hung_up>(self, is->actors.services, hang_up_call{number});
    if (std::ranges::any_of(told, &call_hung_up::found))
      return json_answer("{\"id\":\"" + std::to_string(number) + "\",\"state\":\"ending\"}\n", 202);
    return told.size() == is->actors.services.size() || draining_ ? gone() : nothing_said();
  });
}

void centre_api::list_cdrs(exchange& of) {
  http::query_reader query{of.target};
  const auto limit = query.number("limit", 1, longest_page).value_or(usual_page);
  const auto after = query.number("after", 0, UINT64_MAX - 1).value_or(0);
  if (auto fault = query.finish()) {
    of.answer_with(std::move(*fault));
    return;
  }
  if (records_ == nullptr) {
    of.answer_with(problem(404, "no calls are kept: it was started without --state"));
    return;
  }
  ask(of, [this, limit, after](caf::scoped_actor&) {
    const auto found = storage::read_calls(*records_, after, limit);
    if (!found)
      return problem(500, "the state directory cannot be read: " + found.error().why.to_string());
    return json_answer(
      list_json("cdrs", found->calls, found->more ? std::to_string(found->last) : ""));
  });
}

} // namespace jackfield::app
