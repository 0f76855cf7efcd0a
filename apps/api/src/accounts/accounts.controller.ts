import { Body, Controller, HttpCode, Inject, Ip, Post } from '@nestjs/common';
import { CommandBus } from '@nestjs/cqrs';
import {
  type Login,
  LoginSchema,
  type RefreshToken,
  RefreshTokenSchema,
  type Session,
  type Signup,
  SignupSchema,
} from '@parley/contracts';
import { LogIn, LogOut, type Principal, RefreshSession, SignUp } from '@parley/domain';
import { CurrentUser } from '../auth/current-user.js';
import { Public } from '../auth/public.js';

@Controller('v1/auth')
export class AccountsController {
  constructor(@Inject(CommandBus) private readonly commands: CommandBus) {}

  @Public()
  @Post('signup')
  signUp(@Body({ schema: SignupSchema }) body: Signup): Promise<Session> {
    return this.commands.execute(new SignUp(body));
  }

  @Public()
  @Post('login')
  @HttpCode(200)
  logIn(@Body({ schema: LoginSchema }) body: Login, @Ip() address: string): Promise<Session> {
    return this.commands.execute(new LogIn(body, address));
  }

  @Public()
  @Post('refresh')
  @HttpCode(200)
  refresh(@Body({ schema: RefreshTokenSchema }) body: RefreshToken): Promise<Session> {
    return this.commands.execute(new RefreshSession(body.refreshToken));
  }

  @Post('logout')
  @HttpCode(204)
  logOut(@CurrentUser() caller: Principal, @Body({ schema: RefreshTokenSchema }) body: RefreshToken): Promise<void> {
    return this.commands.execute(new LogOut(caller.userId, body.refreshToken));
  }
}
