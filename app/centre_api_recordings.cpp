#include <utility>

#include "app/centre_api.hpp"
#include "app/centre_api_answers.hpp"
#include "app/centre_json.hpp"
#include "app/centre_recordings.hpp"

// Recordings.

namespace jackfield::app {

using http::problem;

void centre_api::list_recordings(exchange& of) {
  const auto is = current();
  http::query_reader query{of.target};
  const auto limit = query.number("limit", 1, longest_page).value_or(usual_page);
  const auto after = query.text("after").value_or("");
  if (auto fault = query.finish()) {
    of.answer_with(std::move(*fault));
    return;
  }
  ask(of, [is, after, limit](caf::scoped_actor&) {
    const auto found = is->plan.recordings
                         ? recordings_in(is->plan.recordings->directory, after, limit)
                         : recordings_page{};
    std::vector<std::string> parts;
    for (const auto& each : found.files)
      parts.push_back(recording_json(each));
    return json_answer(list_json("recordings", parts, found.more ? found.files.back().id : ""));
  });
}

void centre_api::get_recording(exchange& of) {
  const auto is = current();
  ask(of, [is, id = of.name](caf::scoped_actor&) {
    auto bytes =
      is->plan.recordings ? read_recording(is->plan.recordings->directory, id) : std::nullopt;
    if (!bytes)
      return problem(404, "there is no recording of this id", "id");
    auto out = json_answer(std::move(*bytes));
    out.content_type = "audio/ogg; codecs=opus";
    return out;
  });
}

} // namespace jackfield::app
