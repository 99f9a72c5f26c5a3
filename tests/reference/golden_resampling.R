# Writes golden/resampling.json: bootstrap by exponential weights (read from golden/bootstrap_weights.csv, which our code
# writes), variates, tails of t and F, linear regression, cumulative hazard, draws of imputation models, Rubin's rules.
# Usage, from this folder: Rscript golden_resampling.R   (Debian's r-cran-mice besides the packages of golden.R)
source("golden_functions.R")
tight <- function(formula, data, family = binomial, weights = rep(1, nrow(data))) { data$.w <- weights; environment(formula) <- environment(); f <- suppressWarnings(glm(formula, family, data, weights = .w, control = tight_glm))
  # glm reports the covariance before its last step: two further steps from the solution leave nothing of that.
  suppressWarnings(glm(formula, family, data, weights = .w, start = coef(f), control = list(epsilon = 1e-300, maxit = 2))) }

all <- read.csv("relapsed-myeloma-596.csv", na.strings = ""); d <- all[!is.na(all$fish), ]
d$a <- as.integer(d$regimen == "IsaPd"); d$female <- as.integer(d$sex == "F"); d$iss2 <- as.integer(d$iss_stage == "II"); d$iss3 <- as.integer(d$iss_stage == "III"); d$dara_no <- 1 - d$dara_refr; d$asct_no <- 1 - d$asct; d$fish_high <- as.integer(d$fish == "high")
rhs <- "age + female + crcl + iss2 + iss3 + ldh_high + dara_no + asct_no + fish_high"; model <- function(y, x = rhs) as.formula(paste(y, "~", x))

# ---- bootstrap ----
B <- read.csv("golden/bootstrap_weights.csv"); stopifnot(nrow(B) == nrow(d))
weighted_cox <- function(b) { e <- fitted(tight(model("a"), d, weights = b)); p <- sum(b * d$a) / sum(b); w <- b * ifelse(d$a == 1, p / e, (1 - p) / (1 - e)); unname(coef(coxph(Surv(pfs_days, pfs_event) ~ a, d, weights = w, control = tight_cox))) }
adjusted <- function(b) unname(coef(tight(model("response", paste("a +", rhs)), d, weights = b))["a"])
bootstrap <- function(fit) { est <- fit(rep(1, nrow(d))); r <- unname(sapply(B, fit)); list(estimate = est, replicates = r, std_error = sd(r), bias = mean(r) - est, normal = est + c(-1, 1) * qnorm(.975) * sd(r), percentile = unname(quantile(r, c(.025, .975), type = 7))) }
g <- list(bootstrap = list(pfs = bootstrap(weighted_cox), response = bootstrap(adjusted)))

# ---- variates of the lower half: tail probability (k + 1/2) / 2^53 ----
k <- c(0, 1, 2, 12345, 2^30, 2^40 + 1, 2^48, 2^50 - 7, 2^51 - 1, 2^51, 3 * 2^50 + 5, 2^52 - 2^40, 2^52 - 2^30); tail <- (k + .5) / 2^53
# k in two parts, since 15 digits do not hold it.
g$variates <- list(k_high = floor(k / 2^26), k_low = k %% 2^26, normal = qnorm(tail), exponential = qexp(tail))

# ---- t and F ----
grid <- expand.grid(t = c(1e-3, .2, 1, 1.96, 3.3, 9, 40), v = c(.3, 1, 2.6, 7, 33.3, 410, 12345.6)); q <- expand.grid(p = c(1e-6, .05, .5), v = c(.3, 1, 2.6, 7, 33.3, 410, 12345.6)); f <- expand.grid(f = c(.01, .8, 3, 20), k = c(1, 2, 3, 8), v = c(.7, 4, 19.5, 8000))
g$student <- list(t = grid$t, df = grid$v, p = 2 * pt(grid$t, grid$v, lower.tail = FALSE), quantile_p = q$p, quantile_df = q$v, quantile = qt(q$p / 2, q$v, lower.tail = FALSE), f = f$f, f_df1 = f$k, f_df2 = f$v, f_p = pf(f$f, f$k, f$v, lower.tail = FALSE))

# ---- linear regression: creatinine clearance ----
xl <- "age + female + iss2 + iss3 + ldh_high + dara_no + asct_no + fish_high"
linear <- function(w) { d$.w <- w; f <- lm(model("crcl", xl), d, weights = .w); c(list(estimate = unname(coef(f)), residual_sum = deviance(f), df = f$df.residual, residual_variance = summary(f)$sigma^2), list(covariance = as.vector(vcov(f)))) }
g$linear <- list(unweighted = linear(rep(1, nrow(d))), weighted = linear(B$b01))

# ---- cumulative hazard at every patient's own exit, all 596 ----
own <- function(t, s) { f <- survfit(Surv(t, s) ~ 1); f$cumhaz[match(t, f$time)] }
g$cumulative_hazard <- list(pfs_day = own(all$pfs_days, all$pfs_event), os_day = own(all$os_days, all$death), pfs_month = own(ceiling(all$pfs_days / 30.4375), all$pfs_event))

# ---- draws of imputation models given their variates; rows: the first 60 of the 596 ----
variates <- function(n, shift) { z <- qnorm(((1:n) * .61803398875 + shift) %% 1); z }
around <- function(f, z, V) unname(coef(f) + drop(t(chol(V)) %*% z)); r <- all[1:60, ]; r$a <- as.integer(r$regimen == "IsaPd"); r$female <- as.integer(r$sex == "F"); r$iss2 <- as.integer(r$iss_stage == "II"); r$iss3 <- as.integer(r$iss_stage == "III"); r$dara_no <- 1 - r$dara_refr; r$asct_no <- 1 - r$asct
u <- ((1:60) * .7548776662 + .1) %% 1; zr <- qnorm(u)
xb <- "a + age + female + crcl + iss2 + iss3 + ldh_high + dara_no + asct_no + response"; fb <- tight(model("fish_high", xb), d); zb <- variates(11, .2); bb <- around(fb, zb, summary(fb)$cov.unscaled)
X <- function(x) model.matrix(as.formula(paste("~", x)), r); pb <- plogis(drop(X(xb) %*% bb))
xn <- "a + age + female + ldh_high + dara_no + asct_no + response"; fn <- lm(model("crcl", xn), d); zn <- variates(8, .4); chi <- 251.5; sigma <- sqrt(deviance(fn) / chi); bn <- unname(coef(fn) + drop(t(chol(summary(fn)$cov.unscaled)) %*% zn) * sigma); vn <- drop(X(xn) %*% bn) + sigma * zr
xc <- "a + age + female + crcl + ldh_high"; stage <- list(tight(model("as.integer(iss_stage == 'I')", xc), d), tight(model("as.integer(iss_stage == 'II')", xc), d[d$iss_stage != "I", ])); zc <- list(variates(6, .3), variates(6, .8)); bc <- Map(function(f, z) around(f, z, summary(f)$cov.unscaled), stage, zc)
pc <- sapply(bc, function(b) plogis(drop(X(xc) %*% b))); one <- pc[, 1]; two <- (1 - pc[, 1]) * pc[, 2]; level <- ifelse(u < one, 0, ifelse(u < one + two, 1, 2))
g$draws <- list(u = u, z = zr, binary = list(z = zb, beta = bb, drawn = as.integer(u < pb)), linear = list(z = zn, chi_square = chi, beta = bn, sigma = sigma, drawn = round(pmin(pmax(vn, 5), 150) * 10)), chain = list(z0 = zc[[1]], z1 = zc[[2]], beta0 = bc[[1]], beta1 = bc[[2]], drawn = level))

# ---- Rubin's rules; estimates, variances and covariances stand analysis by analysis ----
Q <- list(small = c(-.31, -.27, -.45, -.29, -.38), alike = c(1.2, 1.2001, 1.1999), far = c(.1, 2.4, -1.7, .9, 3.1, -.6, 1.1), same = rep(.4, 4)); U <- list(small = c(.021, .019, .024, .02, .022), alike = c(.3, .31, .29), far = c(.2, .25, .22, .18, .3, .21, .24), same = c(.04, .05, .045, .05))
scalar <- function(q, u, n, k) { s <- mice::pool.scalar(q, u, n, k); list(estimates = q, variances = u, complete_df = if (is.finite(n)) n - k else NA, estimate = s$qbar, within = s$ubar, between = s$b, total = s$t, relative_increase = s$r, fmi = s$fmi, df = s$df, p_value = 2 * pt(abs(s$qbar) / sqrt(s$t), s$df, lower.tail = FALSE), conf = s$qbar + c(-1, 1) * qt(.975, s$df) * sqrt(s$t)) }
g$pool_scalar <- unlist(lapply(names(Q), function(i) setNames(list(scalar(Q[[i]], U[[i]], Inf, 1), scalar(Q[[i]], U[[i]], 277, 11), scalar(Q[[i]], U[[i]], 12, 4)), paste(i, c("infinite", "many", "few"), sep = "_"))), recursive = FALSE)

# mice's own imputations of the 596 (every fish and nothing else missing), adjusted logistic and Cox models
s <- all[, c("age", "sex", "crcl", "iss_stage", "ldh_high", "dara_refr", "asct", "fish", "response", "pfs_event", "regimen")]; s$hazard <- g$cumulative_hazard$pfs_day; for (v in c("sex", "iss_stage", "fish", "regimen")) s[[v]] <- factor(s[[v]])
imp <- mice::mice(s, m = 5, maxit = 1, seed = 3, printFlag = FALSE); done <- lapply(1:5, function(i) { x <- mice::complete(imp, i); x$pfs_days <- all$pfs_days; x$a <- as.integer(x$regimen == "IsaPd"); x })
ml <- lapply(done, function(x) glm(response ~ a + age + fish + iss_stage, binomial, x)); mc <- lapply(done, function(x) coxph(Surv(pfs_days, pfs_event) ~ a + age + fish + iss_stage, x))
pooled <- function(fits) { p <- mice::pool(mice::as.mira(fits)); t <- summary(p, conf.int = TRUE); x <- p$pooled; list(estimates = unlist(lapply(fits, function(f) unname(coef(f)))), variances = unlist(lapply(fits, function(f) unname(diag(vcov(f))))), complete_df = x$dfcom[1], estimate = x$estimate, within = x$ubar, between = x$b, total = x$t, relative_increase = x$riv, lambda = x$lambda, fmi = x$fmi, df = x$df, std_error = t$std.error, statistic = t$statistic, p_value = t$p.value, conf_low = t[["2.5 %"]], conf_high = t[["97.5 %"]]) }
g$pool <- list(logistic = pooled(ml), cox = pooled(mc))

# D1 by its definition: the stage (k = 2, t = 8), all terms (k = 5, t = 20), one coefficient of three imputations (t = 2)
d1 <- function(b, V) { m <- length(b); k <- length(b[[1]]); q <- Reduce(`+`, b) / m; W <- Reduce(`+`, V) / m; Bt <- cov(do.call(rbind, b)); r <- (1 + 1 / m) * sum(diag(Bt %*% solve(W))) / k; t <- k * (m - 1); w <- if (t > 4) 4 + (t - 4) * (1 + (1 - 2 / t) / r)^2 else t * (1 + 1 / k) * (1 + 1 / r)^2 / 2
  stat <- drop(q %*% solve(W) %*% q) / (k * (1 + r)); list(k = k, estimates = unlist(lapply(b, as.vector)), covariances = unlist(lapply(V, as.vector)), statistic = stat, relative_increase = r, df2 = w, p_value = pf(stat, k, w, lower.tail = FALSE)) }
at <- function(fits, j) d1(lapply(fits, function(f) unname(coef(f)[j])), lapply(fits, function(f) unname(vcov(f)[j, j, drop = FALSE])))
g$pool_test <- list(stage = at(mc, 4:5), all = at(ml, 2:6), one = at(mc[1:3], 3))
save_json(g, "resampling")
