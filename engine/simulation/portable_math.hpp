#pragma once

/// Functions that give the same bits on every machine with IEEE 754 doubles, which those of C
/// libraries do not: of additions, multiplications, divisions and roots alone.
namespace jackfield::simulation {

/// Natural logarithm of a positive, finite number (fdlibm's; within 1 ulp).
[[nodiscard]] double portable_log(double x) noexcept;
/// e^x (fdlibm's), 0 below -700 and held at e^700.
[[nodiscard]] double portable_exp(double x) noexcept;
/// Gamma function of x >= 1/2 (C. Lanczos, 1964), to about 1e-14.
[[nodiscard]] double portable_gamma(double x) noexcept;
/// The standard normal distribution's quantile, 0 < p < 1 (M. J. Wichura, AS 241, 1988; to about
/// 1e-16).
[[nodiscard]] double normal_quantile(double p) noexcept;

} // namespace jackfield::simulation
