#include "engine/simulation/portable_math.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstdint>

namespace jackfield::simulation {

namespace {

constexpr double ln2_high = 6.93147180369123816490e-01;
constexpr double ln2_low = 1.90821492927058770002e-10;
constexpr int mantissa_bits = 52;
constexpr int exponent_bias = 1023;

/// 2^k, for k of normal numbers.
double power_of_two(int k) noexcept {
  return std::bit_cast<double>(static_cast<uint64_t>(k + exponent_bias) << mantissa_bits);
}

/// c[0] + c[1] x + c[2] x^2 ...
template <size_t N>
double polynomial(const std::array<double, N>& c, double x) noexcept {
  double sum = c[N - 1];
  for (size_t i = N - 1; i > 0; --i)
    sum = sum * x + c[i - 1];
  return sum;
}

} // namespace

double portable_log(double x) noexcept {
  constexpr std::array odd{6.666666666666735130e-01, 2.857142874366239149e-01,
                           1.818357216161805012e-01, 1.479819860511658591e-01};
  constexpr std::array even{3.999999999940941908e-01, 2.222219843214978396e-01,
                            1.531383769920937332e-01};
  constexpr uint64_t mantissa_mask = (uint64_t{1} << mantissa_bits) - 1;
  int k = 0;
  if (x < 0x1p-1022) { // subnormal
    x *= 0x1p54;
    k = -54;
  }
  const auto bits = std::bit_cast<uint64_t>(x);
  k += static_cast<int>(bits >> mantissa_bits) - exponent_bias;
  double m =
    std::bit_cast<double>((bits & mantissa_mask) | (uint64_t{exponent_bias} << mantissa_bits));
  if (m > 1.41421356237309504880) {
    m /= 2;
    ++k;
  }
  const double f = m - 1;
  const double s = f / (2 + f);
  const double z = s * s;
  const double w = z * z;
  const double r = z * polynomial(odd, w) + w * polynomial(even, w);
  const double half = 0.5 * f * f;
  return k * ln2_high - ((half - (s * (half + r) + k * ln2_low)) - f);
}

double portable_exp(double x) noexcept {
  constexpr std::array p{1.66666666666666019037e-01, -2.77777777770155933842e-03,
                         6.61375632143793436117e-05, -1.65339022054652515390e-06,
                         4.13813679705723846039e-08};
  constexpr double most = 700;
  if (x < -most)
    return 0;
  x = std::min(x, most);
  const double k = std::floor(x / 6.93147180559945286227e-01 + 0.5);
  const double high = x - k * ln2_high;
  const double low = k * ln2_low;
  const double r = high - low;
  const double t = r * r;
  const double c = r - t * polynomial(p, t);
  return (1 - ((low - r * c / (2 - c)) - high)) * power_of_two(static_cast<int>(k));
}

double portable_gamma(double x) noexcept {
  constexpr std::array c{676.5203681218851,     -1259.1392167224028,  771.32342877765313,
                         -176.61502916214059,   12.507343278686905,   -0.13857109526572012,
                         9.9843695780195716e-6, 1.5056327351493116e-7};
  constexpr double g = 7;
  constexpr double root_of_two_pi = 2.50662827463100050242;
  double sum = 0.99999999999980993;
  for (size_t i = 0; i < c.size(); ++i)
    sum += c[i] / (x + static_cast<double>(i));
  const double t = x + g - 0.5;
  return root_of_two_pi * sum * portable_exp((x - 0.5) * portable_log(t) - t);
}

double normal_quantile(double p) noexcept {
  constexpr std::array a{3.3871328727963666080e0,  1.3314166789178437745e+2,
                         1.9715909503065514427e+3, 1.3731693765509461125e+4,
                         4.5921953931549871457e+4, 6.7265770927008700853e+4,
                         3.3430575583588128105e+4, 2.5090809287301226727e+3};
  constexpr std::array b{1.0,
                         4.2313330701600911252e+1,
                         6.8718700749205790830e+2,
                         5.3941960214247511077e+3,
                         2.1213794301586595867e+4,
                         3.9307895800092710610e+4,
                         2.8729085735721942674e+4,
                         5.2264952788528545610e+3};
  constexpr std::array c{1.42343711074968357734e0,  4.63033784615654529590e0,
                         5.76949722146069140550e0,  3.64784832476320460504e0,
                         1.27045825245236838258e0,  2.41780725177450611770e-1,
                         2.27238449892691845833e-2, 7.74545014278341407640e-4};
  constexpr std::array d{1.0,
                         2.05319162663775882187e0,
                         1.67638483018380384940e0,
                         6.89767334985100004550e-1,
                         1.48103976427480074590e-1,
                         1.51986665636164571966e-2,
                         5.47593808499534494600e-4,
                         1.05075007164441684324e-9};
  constexpr std::array e{6.65790464350110377720e0,  5.46378491116411436990e0,
                         1.78482653991729133580e0,  2.96560571828504891230e-1,
                         2.65321895265761230930e-2, 1.24266094738807843860e-3,
                         2.71155556874348757815e-5, 2.01033439929228813265e-7};
  constexpr std::array f{1.0,
                         5.99832206555887937690e-1,
                         1.36929880922735805310e-1,
                         1.48753612908506148525e-2,
                         7.86869131145613259100e-4,
                         1.84631831751005468180e-5,
                         1.42151175831644588870e-7,
                         2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (std::abs(q) <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * polynomial(a, r) / polynomial(b, r);
  }
  double r = std::sqrt(-portable_log(std::min(p, 1 - p)));
  if (r <= 5) {
    r -= 1.6;
    r = polynomial(c, r) / polynomial(d, r);
  } else {
    r -= 5;
    r = polynomial(e, r) / polynomial(f, r);
  }
  return q < 0 ? -r : r;
}

} // namespace jackfield::simulation
