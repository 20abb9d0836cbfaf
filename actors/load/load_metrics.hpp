#pragma once

#include <chrono>
#include <string>

#include "actors/call/out_of_dialog_request.hpp"
#include "actors/call/registration.hpp"
#include "actors/load/load_script.hpp"
#include "actors/node/lane_context.hpp"
#include "engine/report/run_metrics.hpp"

namespace jackfield {

/// The accounting of one lane's share of a load run: turns what calls, registrations and requests
/// report of themselves into the run's figures. A value; on its generator's lane.
struct load_metrics {
  /// Arrivals and starts are counted by the generator itself.
  report::run_metrics measured;

  /// The way to the answer, booked when it is known: a call may last for hours, and what an
  /// interval shows should be of the interval.
  void on_answered(const call_answered& call);
  void on_finished(const call_finished& call);
  void on_registration(const registration_report& r);
  void on_request(const request_finished& request);
  /// Copies how the lane, its media and its router fared.
  void take_lane(lane_context& context);

private:
  void record_setup(const call_times& t);
  void count(const wire_counters& wire);
};

/// Appends the JSON line of a finished call. `start` and `wall_start` are one moment: the run's
/// first arrival.
void append_call_line(std::string& lines, const call_finished& call, lane::time_point start,
                      std::chrono::system_clock::time_point wall_start);

/// The same of a registration that is over, and of an OPTIONS.
void append_line(std::string& lines, const registration_report& r, lane::time_point start);
void append_line(std::string& lines, const request_finished& request, lane::time_point start);

} // namespace jackfield
