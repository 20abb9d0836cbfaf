#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/policy/erlang.hpp"
#include "engine/simulation/simulate.hpp"

/// The figures that a report of one queue is of, and their names.
namespace jackfield::simulation {

enum class queue_figure : uint8_t {
  p_wait,
  asa,
  level_negative,
  level_ignored,
  level_positive,
  abandoned,
  occupancy,
};

/// Something of each. Waits are in seconds, else shares.
template <class T>
struct queue_figures {
  T p_wait{};
  T asa{};
  T abandoned{};
  T occupancy{};
  /// Within the T of the queue, by what is made of those who abandoned until then.
  T level_negative{};
  T level_ignored{};
  T level_positive{};

  [[nodiscard]] T& operator[](queue_figure which) noexcept { return of(*this, which); }
  [[nodiscard]] const T& operator[](queue_figure which) const noexcept { return of(*this, which); }

private:
  template <class Self>
  static auto& of(Self& all, queue_figure which) noexcept {
    switch (which) {
    case queue_figure::p_wait:
      return all.p_wait;
    case queue_figure::asa:
      return all.asa;
    case queue_figure::level_negative:
      return all.level_negative;
    case queue_figure::level_ignored:
      return all.level_ignored;
    case queue_figure::level_positive:
      return all.level_positive;
    case queue_figure::abandoned:
      return all.abandoned;
    case queue_figure::occupancy:
      break;
    }
    return all.occupancy;
  }
};

/// Of a run; nothing where there was nobody to say it of.
[[nodiscard]] queue_figures<std::optional<double>> figures_of(const simulation_figures& run);
[[nodiscard]] queue_figures<double> figures_of(const policy::erlang_figures& theory);

/// How reports call a figure.
struct figure_name {
  queue_figure which;
  const char* key;   ///< in JSON and CSV
  const char* label; ///< in a table of text
  const char* title; ///< on a page
  bool seconds;      ///< else a share
  bool of_patience;  ///< where nobody hangs up, it says nothing of its own
};

/// All of them, as JSON, CSV and text have them in order.
inline constexpr std::array<figure_name, 7> all_figures{{
  {queue_figure::p_wait, "p_wait", "has to wait", "has to wait", false, false},
  {queue_figure::asa, "asa_s", "answered after (ASA)", "average speed of answer", true, false},
  {queue_figure::level_negative, "service_level", "service level", "service level", false, false},
  {queue_figure::level_ignored, "service_level_abandoned_ignored", "  short abandons ignored",
   "… short abandons ignored", false, true},
  {queue_figure::level_positive, "service_level_abandoned_positive", "  short abandons as met",
   "… short abandons as met", false, true},
  {queue_figure::abandoned, "abandoned", "abandoned", "abandoned", false, true},
  {queue_figure::occupancy, "occupancy", "occupancy", "occupancy", false, false},
}};

[[nodiscard]] constexpr const figure_name& name_of(queue_figure which) noexcept {
  return all_figures[static_cast<size_t>(which)]; // in the order of the enumeration
}

} // namespace jackfield::simulation
