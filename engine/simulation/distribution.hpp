#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/error/error.hpp"
#include "engine/policy/time.hpp"

namespace jackfield::simulation {

using policy::duration;

/// How long something takes, by chance: a value, cheap to copy. Samples are whole microseconds,
/// from 0 to `longest`, and the same on every machine.
class distribution {
public:
  enum class kind : uint8_t { constant, exponential, lognormal, weibull, empirical };

  /// What no sample exceeds.
  static constexpr duration longest = std::chrono::hours{24 * 365};

  /// Always 0.
  distribution() = default;
  /// Means are greater than 0 and at most `longest`; `constant` may be 0.
  static distribution constant(duration value);
  static distribution exponential(duration mean);
  /// By its mean and its coefficient of variation (standard deviation / mean), greater than 0.
  static distribution lognormal(duration mean, double variation);
  /// By its mean and its shape, 0.1 to 100: 1 is exponential; below, many are short and a few very
  /// long; above, they gather round the mean.
  static distribution weibull(duration mean, double shape);
  /// Each of these values alike. At least one, none negative.
  static distribution empirical(std::vector<duration> values);

  /// "constant:180s", "exp:180s", "lognormal:180s:0.8" (coefficient of variation),
  /// "weibull:180s:1.5" (shape), "file:PATH": a value a line, in seconds or with a unit; empty
  /// lines and what follows a # count for nothing. A length alone, "180", "3m", is `plain`:
  /// constant, or exponential. `place` names the option in errors.
  static result<distribution> parse(std::string_view place, std::string_view text,
                                    kind plain = kind::constant);

  /// The value below which a share `u` of all lies, 0 < u < 1: what makes a sample of a uniform
  /// random number. Greater for a greater one.
  [[nodiscard]] duration at(double u) const noexcept;

  [[nodiscard]] kind is() const noexcept { return kind_; }
  [[nodiscard]] duration mean() const noexcept { return mean_; }
  /// Of the same form: all values are longer or shorter by one factor. Neither mean is 0.
  [[nodiscard]] distribution with_mean(duration mean) const;
  /// As `parse` takes it, a constant one without its name; of a file's values: "empirical of 120
  /// values".
  [[nodiscard]] std::string to_string() const;

private:
  kind kind_ = kind::constant;
  duration mean_{};
  /// Of the formula: scale and shape, or mean and deviation of the logarithm, in seconds.
  double scale_ = 0;
  double shape_ = 0;
  double variation_ = 0; // as it was given
  std::shared_ptr<const std::vector<duration>> values_;
};

} // namespace jackfield::simulation
