#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "app/centre_api.hpp"
#include "app/centre_api_answers.hpp"
#include "app/http/text_fields.hpp"

// Supervisors of calls.

namespace jackfield::app {

using http::answer;
using http::problem;

namespace {

std::string supervision_json(uint64_t call, std::string_view mode) {
  return fmt::format("{{\"id\":\"{}\",\"mode\":\"{}\"}}\n", call, mode);
}

/// What the lane that has the call says, of all that were asked.
answer supervision_said(const std::vector<supervision_answer>& told, std::string done) {
  using outcome = supervision_answer::outcome;
  const auto found = std::ranges::find_if(
    told, [](const supervision_answer& each) { return each.what != outcome::no_call; });
  switch (found == told.end() ? outcome::no_call : found->what) {
  case outcome::calling:
  case outcome::ending:
    return json_answer(std::move(done), 202);
  case outcome::changed:
    return json_answer(std::move(done));
  case outcome::not_talking:
    return problem(409, "no agent has taken this call", "id");
  case outcome::nobody:
    return problem(409, "there is nobody of this name, or nobody who supervises", "supervisor");
  case outcome::no_phone:
    return problem(409, "has no phone that is registered", "supervisor");
  case outcome::taken:
    return problem(409, "another one supervises this call", "supervisor");
  case outcome::part_of_it:
    return problem(409, "is the agent of this call", "supervisor");
  case outcome::no_call:
    break;
  }
  return problem(404, "there is no such call, or no more", "id");
}

} // namespace

void centre_api::supervise(exchange& of) {
  static constexpr std::array<std::string_view, 2> known{"supervisor", "mode"};
  const auto fields = http::read_text_fields(of.what, known);
  if (!fields) {
    of.answer_with(fields.error());
    return;
  }
  const auto said = [&](const char* name) {
    const auto found = fields->find(name);
    return found == fields->end() ? std::string{} : found->second;
  };
  supervise_call wish;
  wish.supervisor = said("supervisor");
  const auto mode = said("mode");
  if (wish.supervisor.empty()) {
    of.answer_with(problem(400, "expected an agent's name", "supervisor"));
    return;
  }
  if (mode != "monitor" && mode != "whisper" && mode != "barge") {
    of.answer_with(problem(400, "expected monitor, whisper or barge", "mode"));
    return;
  }
  wish.how = mode == "whisper" ? supervision::whisper
             : mode == "barge" ? supervision::barge
                               : supervision::monitor;
  wish.call = http::read_number(of.name, 1, UINT64_MAX).value_or(0);
  ask(of, [is = current(), wish, mode](caf::scoped_actor& self) {
    const auto told = centre_asker::ask_some<supervision_answer>(self, is->actors.services, wish);
    return supervision_said(told, supervision_json(wish.call, mode));
  });
}

void centre_api::end_supervision(exchange& of) {
  const auto number = http::read_number(of.name, 1, UINT64_MAX).value_or(0);
  ask(of, [is = current(), number](caf::scoped_actor& self) {
    const auto told = centre_asker::ask_some<supervision_answer>(
      self, is->actors.services, jackfield::end_supervision{number});
    return supervision_said(told, supervision_json(number, "ending"));
  });
}

} // namespace jackfield::app
